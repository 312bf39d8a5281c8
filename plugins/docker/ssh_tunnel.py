"""An engine behind ssh, offered on a local socket: every connection becomes one `ssh` process."""

import socket
import subprocess
import tempfile
import threading
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

# The remote docker CLI's own command for this; it joins stdin and stdout to the engine's socket.
_REMOTE_COMMAND = "docker system dial-stdio"
_CONNECT_TIMEOUT_SECONDS = 30


def ssh_command(url: str, ssh_options: Sequence[str]) -> list[str]:
    """Command line that joins its stdin and stdout to the engine at `ssh://user@host:port`."""
    parts = urllib.parse.urlsplit(url)
    command = ["ssh", "-o", f"ConnectTimeout={_CONNECT_TIMEOUT_SECONDS}", "-T", *ssh_options]
    if parts.username:
        command += ["-l", parts.username]
    if parts.port:
        command += ["-p", str(parts.port)]
    return [*command, "--", parts.hostname or "", _REMOTE_COMMAND]


class SshTunnel:
    """Listens on a private Unix socket while the provider runs.

    Uses the `ssh` program, so the user's agent, keys and ~/.ssh/config count, and every kind of
    connection the engine knows (streams, hijacked ones) works as on a local engine.
    """

    def __init__(self, url: str, ssh_options: Sequence[str] = ()) -> None:
        self._command = ssh_command(url, ssh_options)
        self._folder = tempfile.TemporaryDirectory(prefix="docker-ssh-")
        self._stderr = Path(self._folder.name) / "ssh.log"
        self._socket_path = Path(self._folder.name) / "engine.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._socket_path))
        self._listener.listen()
        threading.Thread(target=self._accept, name="ssh-tunnel", daemon=True).start()

    @property
    def url(self) -> str:
        """Address of the local end."""
        return f"unix://{self._socket_path}"

    def last_error(self) -> str:
        """Last line that an `ssh` process wrote, or an empty string."""
        try:
            lines = self._stderr.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """Stop listening; open connections end with their users."""
        self._listener.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._start_ssh(connection)

    def _start_ssh(self, connection: socket.socket) -> None:
        try:
            with self._stderr.open("ab") as stderr:
                # A session of its own: Ctrl-C must reach the provider, not its connections.
                process = subprocess.Popen(
                    self._command,
                    stdin=connection.fileno(),
                    stdout=connection.fileno(),
                    stderr=stderr,
                    start_new_session=True,
                )
        except OSError as error:
            self._stderr.write_text(f"{self._command[0]}: {error.strerror}\n")
            return
        threading.Thread(target=process.wait, name="ssh-wait", daemon=True).start()
