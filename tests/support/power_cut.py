"""The end of a test's engine as its machine would end it without power."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.support.second_engine import SecondEngine
from tests.support.waiting import is_alive, wait_for


def cut_power(engine: SecondEngine) -> None:
    """End it, unheard and with all that runs there; `engine.start` is its machine's next start."""
    assert engine.switch is not None
    assert engine.process is not None
    there = f"/proc/{engine.switch.pid}/ns/net"
    unplug = ["ip", "link", "set", f"node{engine.number}", "down"]
    subprocess.run(["nsenter", f"--net={there}", *unplug], check=True)
    shims = _find_shims(engine.folder)
    held = [child for shim in shims for child in _children(shim)]
    engine.process.kill()
    for process_id in (*shims, *held):
        with suppress(ProcessLookupError):  # a health check that has ended
            os.kill(process_id, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, (*shims, *held))))
    engine.stop()
    # In memory on a machine.
    subprocess.run(["rm", "-rf", "--one-file-system", f"{engine.folder}/exec"], check=True)
    (engine.folder / "pid").unlink()


def _find_shims(folder: Path) -> list[int]:
    """What holds the containers of the engine with that folder."""
    address = f"-address\0{folder}/exec/".encode()
    found = [path for path in Path("/proc").glob("[0-9]*") if address in _command_line(path)]
    return [int(path.name) for path in found]


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _children(process_id: int) -> list[int]:
    threads = Path("/proc", str(process_id), "task").glob("*/children")
    return [int(word) for thread in threads for word in thread.read_text().split()]
