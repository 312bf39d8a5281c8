#!/opt/venv/bin/python
"""Serves the portal, and reloads its code on save.

It ends as soon as its server was killed, for want of memory for example, so that the container
starts again: Uvicorn's own supervisor goes on without a server. One that ended by itself has said
why, and waits for code that works.
"""

import sys
from pathlib import Path

import uvicorn
from uvicorn.supervisors import ChangeReload


class _Supervisor(ChangeReload):
    def is_killed(self) -> bool:
        """Whether a signal has ended the server."""
        return (self.process.exitcode or 0) < 0

    def should_restart(self) -> list[Path] | None:
        changes = super().should_restart()
        if self.is_killed():
            raise StopIteration
        return changes


def main() -> int:
    """Serve until the container stops; 1 when the server was killed."""
    sys.path.insert(0, str(Path.cwd()))
    config = uvicorn.Config(
        "app.main:app",
        host="0.0.0.0",
        port=8000,
        reload=True,
        reload_dirs=["app"],
        timeout_keep_alive=75,
        # Reloading does not wait for requests: the developer who saved wants to see the new code.
        timeout_graceful_shutdown=1,
        access_log=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    supervisor = _Supervisor(config, target=server.run, sockets=[config.bind_socket()])
    supervisor.run()
    return 1 if supervisor.is_killed() and not supervisor.should_exit.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
