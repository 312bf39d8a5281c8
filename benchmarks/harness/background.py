"""Work in threads of its own, for as long as a block runs."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Self


class Background(ABC):
    """Begins its work with the block, and waits for the end of it behind the block."""

    ended: threading.Event
    """Set at the block's end: the work ends soon after."""

    @abstractmethod
    def work(self) -> Iterable[Callable[[], None]]:
        """What runs, each in a thread."""

    def __enter__(self) -> Self:
        self.ended = threading.Event()
        self._threads = [threading.Thread(target=one) for one in self.work()]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()
