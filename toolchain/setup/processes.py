"""Other programs: their answers, and whether one known by its id still runs."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ANSWER_SECONDS = 20.0
_PROC = Path("/proc")


def ask(*command: str, environ: Mapping[str, str]) -> str | None:
    """What a command prints; None when it is missing, fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def is_running(pid: int, program: str | None = None) -> bool:
    """Whether the process lives, and is this program if one is given; a zombie does not live."""
    if not (_PROC / "self").exists():
        return _takes_signals(pid)
    try:
        status = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    name, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] != "Z" and program in (None, name)


def _takes_signals(pid: int) -> bool:
    """The best guess where there is no /proc."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
