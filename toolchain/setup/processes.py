"""Other programs: their answers, and whether one known by its id still runs."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ANSWER_SECONDS = 20.0


def ask(*command: str, environ: Mapping[str, str]) -> str | None:
    """What a command prints; None when it is missing, fails or takes too long."""
    try:
        printed = subprocess.check_output(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return printed.strip()


def is_running(pid: int, program: str | None = None) -> bool:
    """Whether the process lives, and is this program if one is given; a zombie does not live."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except OSError:  # another user's; or there is no /proc, and it may be any program
        return True
    name, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] != "Z" and program in (None, name)
