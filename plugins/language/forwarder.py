"""Hands gRPC calls on to a server that comes later, without knowing their messages."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

import grpc

_UNLIMITED = ("grpc.max_receive_message_length", -1)

Method = Callable[[bytes], bytes]


class Forwarder(grpc.GenericRpcHandler):
    """Answers some methods itself and forwards the others, which wait for the connection.

    Parameters
    ----------
    own
        Methods answered here, by full name, on serialised messages.
    when_needed
        Called at each method that is to be forwarded, before it waits.
    """

    def __init__(self, own: Mapping[str, Method], when_needed: Callable[[], None]) -> None:
        self._own = own
        self._when_needed = when_needed
        self._decided = threading.Event()
        self._channel: grpc.Channel | None = None
        self._failure = ""

    @property
    def connected(self) -> bool:
        """Whether calls are handed on."""
        return self._channel is not None

    def connect(self, port: int, first: Mapping[str, bytes]) -> None:
        """Hand calls on to a server of this machine, after some calls it may not know."""
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", [_UNLIMITED])
        for name, request in first.items():
            _call_if_known(self._channel, name, request)
        self._decided.set()

    def fail(self, reason: str) -> None:
        """Refuse the calls that wait for the server, and those to come."""
        self._failure = reason
        self._channel = None
        self._decided.set()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Return the handler of any method."""
        name = handler_call_details.method
        if name in self._own:
            method = self._own[name]
            return grpc.unary_unary_rpc_method_handler(lambda request, _: method(request))
        return grpc.unary_unary_rpc_method_handler(partial(self._forward, name))

    def _forward(self, name: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._when_needed()
        self._decided.wait()
        channel = self._channel
        if channel is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, self._failure)
        call = channel.unary_unary(name).future(request)
        if call.exception() is not None:
            _answer_like(call, context)
        return call.result()


def _answer_like(call: Any, context: grpc.ServicerContext) -> NoReturn:
    # The details of a status travel as metadata.
    context.set_trailing_metadata(call.trailing_metadata() or ())
    context.abort(call.code(), call.details() or "")


def _call_if_known(channel: grpc.Channel, name: str, request: bytes) -> None:
    call: Any = channel.unary_unary(name).future(request)
    if call.code() not in (grpc.StatusCode.OK, grpc.StatusCode.UNIMPLEMENTED):
        call.result()
