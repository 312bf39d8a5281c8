"""Whether a process, known by an id from a file, is still the one that wrote it."""

import os
from pathlib import Path

_STATUS_OF_ALL = Path("/proc")


def is_running(pid: int, program: str | None = None) -> bool:
    """Whether the process lives, and is this program if one is given.

    A process that has ended and that nobody has waited for does not live, though it still has
    its id.
    """
    if not (_STATUS_OF_ALL / "self").exists():
        return _answers_signals(pid)
    try:
        status = (_STATUS_OF_ALL / str(pid) / "stat").read_text()
    except OSError:
        return False
    name, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] != "Z" and program in (None, name)


def _answers_signals(pid: int) -> bool:
    """As well as it can be told where there is no /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
