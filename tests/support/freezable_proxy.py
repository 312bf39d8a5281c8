"""A way to a server that can be frozen: connections stay open, and nothing passes any more."""

import selectors
import socket
import threading


class FreezableProxy:
    """Passes bytes between clients and one server, until it is told to hold them back.

    This is what a client sees of a paused container or a hung host, which a server that is stopped
    does not show: there the system answers at once that nobody listens.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._flowing = threading.Event()
        self._flowing.set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pass, daemon=True)

    @property
    def port(self) -> int:
        """Where clients connect, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def __enter__(self) -> "FreezableProxy":
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.thaw()
        self._thread.join()
        for connection in (self._listener, *self._peers):
            connection.close()
        self._selector.close()

    def _pass(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(timeout=0.05):
                self._flowing.wait()
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if source is self._listener:
                    self._accept()
                elif source in self._peers:
                    self._forward(source)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._server)
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        target = self._peers[source]
        try:
            data = source.recv(65536)
            target.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (source, target):
                del self._peers[end]
                self._selector.unregister(end)
                end.close()
