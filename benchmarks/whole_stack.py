"""`up`, a second `up` and `destroy` of whole stacks against Docker Compose.

Both sides take turns in one run on the same images and health checks; what counts is their
ratio, absolute times are the machine's.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness.machine import engine_client
from benchmarks.harness.portal_stack import DEVELOPMENT, PortalStack
from benchmarks.harness.production import production_settings
from benchmarks.sides import Compose

Seconds = dict[str, list[float]]


def measure(environment: str, compose: Path, runs: int) -> bool:
    """Measure the stack of development or production, this one scaled as well; print the table."""
    ours: Seconds = defaultdict(list)
    theirs: Seconds = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        # Compose waits for the engine's own probes, so they are as often as for a user.
        given = production_settings() if environment == "production" else DEVELOPMENT
        settings = {**given, "health": {}}
        stack = PortalStack(Path(folder) / "bench", engine_client(), settings=settings)
        try:
            stack.up()
            stack.destroy()
            for _ in range(runs):
                _run_round(stack, compose, ours, theirs)
        finally:
            stack.remove()
    _print_table(environment, ours, theirs)
    return True


def _run_round(stack: PortalStack, compose: Path, ours: Seconds, theirs: Seconds) -> None:
    """One round: our stack stays up while Compose has its turn, as it lends its secret files."""
    _time(ours["up"], stack.up)
    _time(ours["no-op up"], stack.up)
    other = Compose(compose, stack)
    try:
        _time(theirs["up"], other.up)
        _time(theirs["no-op up"], other.up)
        if stack.settings["environment"] == "production":
            for count in (4, 2):
                name = f"scale to {count}"
                _time(ours[name], lambda count=count: stack.change_app(replicas=count))
                _time(theirs[name], lambda count=count: other.change_app(replicas=count))
    finally:
        _time(theirs["destroy"], other.destroy)
    _time(ours["destroy"], stack.destroy)


def _time(into: list[float], action: Callable[[], object]) -> None:
    start = time.monotonic()
    action()
    into.append(time.monotonic() - start)


def _print_table(title: str, ours: Seconds, theirs: Seconds) -> None:
    print(f"{title:12} {'pulumi':>10} {'compose':>10} {'ratio':>7}   (medians, seconds)")
    for name, seconds in ours.items():
        mine, other = statistics.median(seconds), statistics.median(theirs[name])
        print(f"{name:12} {mine:10.2f} {other:10.2f} {mine / other:7.2f}")
