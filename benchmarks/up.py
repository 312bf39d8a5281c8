"""`up`, a second `up` and `destroy` of the development stack against Docker Compose.

Run with `make bench`. Both sides take turns in one run on the same images and health checks;
what counts is their ratio, absolute times are the machine's.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.compose_model import describe_project
from benchmarks.compose_tool import find_compose
from infra.engine_client import connect
from tests.support.machine import tool_environment
from tests.support.portal_stack import PortalStack

Seconds = dict[str, list[float]]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="counted rounds, after one warm-up")
    runs: int = parser.parse_args().runs
    tool_environment()
    compose = find_compose()
    ours: Seconds = defaultdict(list)
    theirs: Seconds = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        stack = PortalStack(Path(folder) / "bench", connect(""))
        try:
            stack.up()
            stack.destroy()
            for _ in range(runs):
                _run_round(stack, compose, ours, theirs)
        finally:
            stack.remove()
    _print_table(ours, theirs)


def _run_round(stack: PortalStack, compose: Path, ours: Seconds, theirs: Seconds) -> None:
    """One round: our stack stays up while Compose has its turn, as it lends its secret files."""
    _time(ours["up"], lambda: _pulumi(stack, "up"))
    _time(ours["no-op up"], lambda: _pulumi(stack, "up"))
    model = stack.folder / "compose.json"
    model.write_text(json.dumps(describe_project("devportal-bench", stack.containers())))
    command = [str(compose), "-f", str(model)]
    _time(theirs["up"], lambda: _run([*command, "up", "--wait", "--detach"]))
    _time(theirs["no-op up"], lambda: _run([*command, "up", "--wait", "--detach"]))
    _time(theirs["destroy"], lambda: _run([*command, "down", "--volumes"]))
    _time(ours["destroy"], lambda: _pulumi(stack, "destroy"))


def _pulumi(stack: PortalStack, operation: str) -> None:
    command = ["pulumi", operation, "--stack", stack.name, "--yes", "--skip-preview"]
    _run(command, cwd=stack.project, environment=stack.environment)


def _run(
    command: list[str], cwd: Path | None = None, environment: dict[str, str] | None = None
) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}"
            f"{done.stderr[-3000:]}"
        )


def _time(into: list[float], action: Callable[[], None]) -> None:
    start = time.monotonic()
    action()
    into.append(time.monotonic() - start)


def _print_table(ours: Seconds, theirs: Seconds) -> None:
    print(f"{'':10} {'pulumi':>10} {'compose':>10} {'ratio':>7}   (medians, seconds)")
    for name, seconds in ours.items():
        mine, other = statistics.median(seconds), statistics.median(theirs[name])
        print(f"{name:10} {mine:10.2f} {other:10.2f} {mine / other:7.2f}")


if __name__ == "__main__":
    main()
