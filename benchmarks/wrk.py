"""Load from wrk: a program that leaves the processors to what is measured."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.production import DOMAIN

CONNECTIONS = 32

# What is sent is put together before the load begins.
_SCRIPT = """
local sent = {}
local at = 0
function init(arguments)
    for line in io.lines(arguments[1]) do
        local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
        table.insert(sent, wrk.format(method, path, nil, body ~= "" and body or nil))
    end
end
function request()
    at = at % #sent + 1
    return sent[at]
end
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "lost": %d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the clients saw.

    Parameters
    ----------
    refused
        Answers with a status from 400 on.
    lost
        Requests without an answer.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    lost: int

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


def run_load(url: str, lines: Sequence[str], *, seconds: int, headers: Sequence[str] = ()) -> Found:
    """Send the requests in turn, over and over, on connections that are kept.

    Parameters
    ----------
    lines
        `METHOD PATH BODY` of each.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, requests = Path(folder) / "load.lua", Path(folder) / "requests"
        script.write_text(_SCRIPT)
        requests.write_text("\n".join(lines) + "\n")
        command = [find_wrk(), "--threads", "1", "--connections", str(CONNECTIONS)]
        command += ["--duration", f"{seconds}s", "--timeout", "10s", "--script", str(script)]
        for header in (f"Host: {DOMAIN}", *headers):
            command += ["--header", header]
        done = subprocess.run(
            [*command, url, "--", str(requests)], capture_output=True, text=True, check=True
        )
    return Found(**json.loads(done.stdout.splitlines()[-1]))
