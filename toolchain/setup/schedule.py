"""The parts of the set-up, run side by side, each as soon as those it depends on are done."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError, StoppedError
from toolchain.setup.project import Project
from toolchain.setup.work import Work


class Step(ABC):
    """A part that is there, or is made; never half-made where `find` would take it for whole."""

    name: str
    purpose: str
    """What `run` does, as an order."""
    after: tuple[str, ...] = ()
    """Names of the steps, further up in the list, that have to be done before."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @abstractmethod
    def find(self) -> str | None:
        """A few words about what is there; None if `run` has something to do."""

    @abstractmethod
    def run(self, work: Work) -> None:
        """Make the part; raises SetupError when this machine does not allow it."""


def run_steps(steps: Sequence[Step], console: Console, logs: Path, lock: int | None = None) -> None:
    """Make every part that is not there, with a log file of each in the folder `logs`.

    Raises the first SetupError once all are stopped.
    """
    stop = threading.Event()
    works: list[Work] = []
    made: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(len(steps)) as pool:
        try:
            for number, step in enumerate(steps, 1):
                label = f"[{number}/{len(steps)}] {step.name}"
                log = logs / f"{step.name.replace(' ', '-')}.log"
                works.append(Work(label, console, log, stop, lock))
                before = [made[name] for name in step.after]
                made[step.name] = pool.submit(_make, step, works[-1], before)
            wait(made.values(), return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
            for work in works:
                work.kill()
    for failure in (future.exception() for future in made.values()):
        if failure is not None and not isinstance(failure, StoppedError):
            raise failure


def _make(step: Step, work: Work, before: Sequence[Future[None]]) -> None:
    if any(earlier.exception() for earlier in before):
        raise StoppedError
    if found := step.find():
        work.console.say(f"{work.label}: ready ({found})")
        return
    work.log.unlink(missing_ok=True)
    work.say(step.purpose)
    started = time.monotonic()
    try:
        step.run(work)
    finally:
        work.console.end(work.label)
    if not (found := step.find()):
        raise SetupError(
            f"{work.label}: should be there after it was made (got nothing). "
            f"Read {work.log}, and run this again."
        )
    seconds = f"{time.monotonic() - started:.1f} s"
    work.say(f"done in {seconds}, {work.cpu_seconds:.1f} s of CPU ({found})")
