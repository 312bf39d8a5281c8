"""Clients that read one address over and over while something else happens."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from benchmarks.harness.background import Background
from tests.support.waiting import wait_for

Answer = tuple[int, str | None]
"""Status and Retry-After."""


@dataclass
class Readers(Background):
    """Threads that count the answers they get; `slowest` is of those since `forget`."""

    connect: Callable[[], httpx.Client]
    path: str
    clients: int = 1
    answers: Counter[Answer] = field(default_factory=Counter)
    slowest: float = 0

    def forget(self) -> None:
        self.answers, self.slowest = Counter(), 0

    def wait_for(self, wanted: Answer, count: int) -> None:
        wait_for(lambda: self.answers[wanted] >= count, got=lambda: self.answers)

    def work(self) -> Iterable[Callable[[], None]]:
        return [self._read] * self.clients

    def _read(self) -> None:
        with self.connect() as client:
            # What happens meanwhile needs a processor, too.
            while not self.ended.wait(0.01):
                began, answers = time.monotonic(), self.answers
                answer = client.get(self.path)
                answers[answer.status_code, answer.headers.get("retry-after")] += 1
                if answers is self.answers:
                    self.slowest = max(self.slowest, time.monotonic() - began)
