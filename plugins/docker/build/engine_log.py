"""Lines for the user, sent to the Pulumi engine that started the provider."""

import contextlib
import threading
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The log of the Pulumi engine; silent where there is none, and never a reason to fail.

    Parameters
    ----------
    address
        Where the engine listens, the first argument of every provider; empty for none.
    """

    def __init__(self, address: str = "") -> None:
        self._address = address
        self._lock = threading.Lock()
        self._stub: Any = None

    def status(self, urn: str, text: str) -> None:
        """Show a line beside the resource until the next one comes."""
        self._send(urn, text, engine_pb2.INFO, ephemeral=True)

    def info(self, urn: str, text: str) -> None:
        """Keep a line among the resource's diagnostics."""
        self._send(urn, text, engine_pb2.INFO)

    def warning(self, urn: str, text: str) -> None:
        """Keep a warning among the resource's diagnostics."""
        self._send(urn, text, engine_pb2.WARNING)

    def _send(self, urn: str, text: str, severity: Any, *, ephemeral: bool = False) -> None:
        if not self._address or not text:
            return
        request = engine_pb2.LogRequest(
            severity=severity, message=text, urn=urn, ephemeral=ephemeral
        )
        with contextlib.suppress(grpc.RpcError), self._lock:
            self._connected().Log(request)

    def _connected(self) -> Any:
        if self._stub is None:
            channel = grpc.insecure_channel(self._address)
            self._stub = engine_pb2_grpc.EngineStub(channel)
        return self._stub
