"""Clients that read one address over and over while something else happens."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.support.waiting import wait_for

Answer = tuple[int, str | None]
"""Status and Retry-After."""


@dataclass
class Readers:
    """Threads that count the answers they get; `slowest` is of those since `forget`."""

    connect: Callable[[], httpx.Client]
    path: str
    clients: int = 1
    answers: Counter[Answer] = field(default_factory=Counter)
    slowest: float = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        self.answers, self.slowest = Counter(), 0

    def wait_for(self, wanted: Answer, count: int) -> None:
        wait_for(lambda: self.answers[wanted] >= count, got=lambda: self.answers)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._read) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        with self.connect() as client:
            while not self._ended.is_set():
                began, answers = time.monotonic(), self.answers
                answer = client.get(self.path)
                answers[answer.status_code, answer.headers.get("retry-after")] += 1
                if answers is self.answers:
                    self.slowest = max(self.slowest, time.monotonic() - began)
