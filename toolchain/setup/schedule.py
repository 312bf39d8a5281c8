"""The parts of the set-up, run side by side, each as soon as those it depends on are done."""

import fcntl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.work import StoppedError, Work


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
        """Make the part; raises UserError when this machine does not allow it."""


def run_steps(steps: Sequence[Step], project: Project, console: Console) -> None:
    """Make every part that is not there, one such run at a time on a machine.

    Raises the first UserError once all are stopped.
    """
    stop = threading.Event()
    works: list[Work] = []
    made: dict[str, Future[None]] = {}
    with hold_lock(project.places.lock, console) as lock, ThreadPoolExecutor(len(steps)) as pool:
        try:
            for number, step in enumerate(steps, 1):
                label = f"[{number}/{len(steps)}] {step.name}"
                log = project.places.logs / f"{step.name.replace(' ', '-')}.log"
                works.append(Work(label, console, log, stop, lock))
                before = [made[name] for name in step.after if name in made]
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
        work.say(f"ready ({found})")
        return
    work.log.unlink(missing_ok=True)
    work.say(step.purpose)
    started = time.monotonic()
    step.run(work)
    if not (found := step.find()):
        raise UserError(
            f"{work.label}: should be there after it was made (got nothing). "
            f"Read {work.log}, and run this again."
        )
    seconds = f"{time.monotonic() - started:.1f} s"
    work.say(f"done in {seconds}, {work.cpu_seconds:.1f} s of CPU ({found})")


@contextmanager
def hold_lock(path: Path, console: Console) -> Iterator[int]:
    """Hold the lock, after waiting for the set-up that has it; gives its file descriptor.

    A command that inherits the descriptor goes on holding the lock when the set-up is killed,
    so the next set-up never works beside an orphan of the last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.say("set-up: another one is at work, or what it started; waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
