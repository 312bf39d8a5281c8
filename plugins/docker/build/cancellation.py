"""Ends what is running when the user cancels."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # It takes a tenth of a second to import, and every start of the provider passes here.
    import requests


class CancelledError(Exception):
    """The user cancelled the operation."""


class Cancellation:
    """Remembers a cancellation and closes the connections that were open at that time.

    The engine ends a build or a pull when its client goes away, so closing is all it takes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._open: set[Any] = set()

    def cancel(self) -> None:
        """Close every open connection; later ones are closed as they open."""
        self._cancelled.set()
        with self._lock:
            responses = list(self._open)
        for response in responses:
            _hang_up(response)

    @contextlib.contextmanager
    def closes(self, response: "requests.Response") -> Iterator[None]:
        """Let `cancel` close the response's connection while the block runs."""
        with self._lock:
            self._open.add(response)
        try:
            self.raise_if_cancelled()
            yield
        finally:
            with self._lock:
                self._open.discard(response)

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError after a cancellation."""
        if self._cancelled.is_set():
            raise CancelledError("cancelled")


def _hang_up(response: "requests.Response") -> None:
    connection: Any = getattr(response.raw, "connection", None)
    with contextlib.suppress(OSError, AttributeError):
        # Closing would wait for the thread that reads; shutting down wakes it.
        connection.sock.shutdown(socket.SHUT_RDWR)
