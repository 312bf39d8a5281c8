"""The process: listens, tells Pulumi the port, and ends quietly."""

import importlib
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from plugins.docker.build.engine_log import EngineLog
from plugins.docker.provider import Provider
from plugins.docker.servicer import DockerServicer

# Every waiting container holds a thread; Pulumi itself bounds how many there are at once.
_THREADS = 256
# Pulumi's own limit; a state with big uploads passes the 4 MB of gRPC.
_MESSAGE_BYTES = 1024 * 1024 * 400
_STOP_SECONDS = 0.2


def serve(arguments: Sequence[str]) -> int:
    """Serve until told to stop; the port is the only line on the standard output.

    Parameters
    ----------
    arguments
        Of the process: the address of Pulumi's engine, if any, and options that do not matter.
    """
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    provider = Provider(EngineLog(addresses[0] if addresses else ""))
    # Before the port is told: from then on Pulumi may end us.
    stopped = _stopped_by_signal()
    server = _listening(provider)
    _warm_up()
    stopped.wait()
    provider.cancel()
    server.stop(_STOP_SECONDS).wait()
    return 0


def _listening(provider: Provider) -> grpc.Server:
    server = grpc.server(
        ThreadPoolExecutor(_THREADS),
        options=[
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(DockerServicer(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    return server


def _stopped_by_signal() -> threading.Event:
    stopped = threading.Event()

    def stop(_number: int, _frame: Any) -> None:
        stopped.set()

    # Pulumi ends its plugins with SIGINT, and so does Ctrl-C in a terminal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopped


def _warm_up() -> None:
    """Import the Docker SDK while Pulumi is still busy with the program."""
    importlib.import_module("plugins.docker.sdk_engine")
