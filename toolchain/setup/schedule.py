"""The parts of the set-up, run side by side, each as soon as those it depends on are done."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
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


@dataclass
class Schedule:
    """One run over a list of steps, with a log file of each in the folder `logs`."""

    steps: Sequence[Step]
    console: Console
    logs: Path
    lock: int | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _works: list[Work] = field(default_factory=list)

    def run(self) -> None:
        """Make every part that is not there; raises the first SetupError once all are stopped."""
        made: dict[str, Future[None]] = {}
        with ThreadPoolExecutor(len(self.steps)) as pool:
            for step in self.steps:
                before = [made[name] for name in step.after if name in made]
                made[step.name] = pool.submit(self._make, step, before)
            try:
                wait(made.values(), return_when=FIRST_EXCEPTION)
            finally:
                self._stop.set()
                for work in list(self._works):
                    work.kill()
        for failure in (future.exception() for future in made.values()):
            if failure is not None and not isinstance(failure, StoppedError):
                raise failure

    def _make(self, step: Step, before: Sequence[Future[None]]) -> None:
        if any(earlier.exception() for earlier in before):
            raise StoppedError
        label = f"[{self.steps.index(step) + 1}/{len(self.steps)}] {step.name}"
        if found := step.find():
            self.console.say(f"{label}: ready ({found})")
            return
        log = self.logs / f"{step.name.replace(' ', '-')}.log"
        log.unlink(missing_ok=True)
        work = Work(label, self.console, log, self._stop, self.lock)
        self._works.append(work)
        work.say(step.purpose)
        started = time.monotonic()
        try:
            step.run(work)
        finally:
            self.console.end(label)
        if not (found := step.find()):
            raise SetupError(
                f"{label}: should be there after it was made (got nothing). "
                f"Read {log}, and run this again."
            )
        seconds = f"{time.monotonic() - started:.1f} s"
        work.say(f"done in {seconds}, {work.cpu_seconds:.1f} s of CPU ({found})")
