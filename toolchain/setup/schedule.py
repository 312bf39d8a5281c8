"""Runs steps as soon as those they depend on are done, side by side."""

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError, StoppedError
from toolchain.setup.step import Step
from toolchain.setup.work import Work


@dataclass
class Schedule:
    """One run over a set of steps.

    Parameters
    ----------
    steps
        In the order they are numbered; `after` names others of them.
    logs
        Folder for a log file of each step.
    lock
        File descriptor that commands inherit.
    """

    steps: Sequence[Step]
    console: Console
    logs: Path
    lock: int | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended: "queue.Queue[tuple[Step, BaseException | None]]" = field(default_factory=queue.Queue)
    _works: dict[str, Work] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """Make every part that is not there.

        Raises
        ------
        SetupError
            Raised with the first failure, after the other steps have been stopped.
        """
        try:
            self._run_all()
        finally:
            self._stop_all()

    def _run_all(self) -> None:
        waiting, done = list(self.steps), set[str]()
        while len(done) < len(self.steps):
            for step in [step for step in waiting if done.issuperset(step.after)]:
                waiting.remove(step)
                self._start(step)
            step, failure = self._ended.get()
            if failure is not None:
                raise failure
            done.add(step.name)

    def _start(self, step: Step) -> None:
        thread = threading.Thread(target=self._run_one, args=(step,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run_one(self, step: Step) -> None:
        number = f"[{self.steps.index(step) + 1}/{len(self.steps)}]"
        label = f"{number} {step.name}"
        try:
            self._make(step, label)
            self._ended.put((step, None))
        except BaseException as failure:  # handed to the main thread, which raises it
            self._ended.put((step, failure))
        finally:
            self.console.end(label)

    def _make(self, step: Step, label: str) -> None:
        found = step.find()
        if found is not None:
            self.console.say(f"{label}: ready ({found})")
            return
        log = self.logs / f"{step.name.replace(' ', '-')}.log"
        log.unlink(missing_ok=True)
        work = Work(label, self.console, log, self._stop, self.lock)
        self._works[step.name] = work
        if self._stop.is_set():
            raise StoppedError
        self.console.say(f"{label}: {step.purpose}")
        started = time.monotonic()
        step.run(work)
        found = step.find()
        if found is None:
            raise SetupError(
                f"{label}: should be there after it was made (got nothing). "
                f"Read {log}, and run this again."
            )
        self.console.say(f"{label}: done in {time.monotonic() - started:.1f} s ({found})")

    def _stop_all(self) -> None:
        self._stop.set()
        for work in list(self._works.values()):
            work.kill()
        for thread in self._threads:
            thread.join()
