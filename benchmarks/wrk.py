"""Load from wrk, a program that leaves the processors to what is measured."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32

# All requests are formatted before the load begins.
_SCRIPT = """
local requests = {}
local at = 0
function init(arguments)
    for path in io.lines(arguments[1]) do table.insert(requests, wrk.format("GET", path)) end
end
function request()
    at = at % #requests + 1
    return requests[at]
end
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, errors.status
            + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The requests of one run, as their clients saw them.

    Parameters
    ----------
    failed
        Requests without a response, or with a status from 400 on.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def find_wrk() -> str:
    """The program.

    Raises
    ------
    SystemExit
        Raised when it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit(
            "wrk: should be installed for the part 'portal' (got none on PATH). "
            "Install it: apt-get install wrk."
        )
    return found


def run_load(url: str, paths: Sequence[str], *, seconds: int, token: str) -> Result:
    """Read the paths in turn, over and over, on connections that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder) / "load.lua", Path(folder) / "paths"
        script.write_text(_SCRIPT)
        listed.write_text("\n".join(paths) + "\n")
        command = [find_wrk(), "--threads", "1", "--connections", str(CONNECTIONS)]
        command += ["--duration", f"{seconds}s", "--timeout", "10s", "--script", str(script)]
        command += ["--header", f"Authorization: Bearer {token}"]
        done = subprocess.run(
            [*command, url, "--", str(listed)], capture_output=True, text=True, check=True
        )
    return Result(**json.loads(done.stdout.splitlines()[-1]))
