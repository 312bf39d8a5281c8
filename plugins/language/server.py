"""The host's process: from the port on standard output to its end."""

import os
import signal
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from plugins.language.children import Children
from plugins.language.host import LanguageHost
from plugins.language.protocol import language_pb2_grpc

MAX_MESSAGE_BYTES = 400 * 1024 * 1024
"""Largest message; the SDK's own limit."""

MAX_CALLS = 256
"""Calls at a time: each plugin and program holds one as long as it runs."""


def serve(engine_address: str) -> None:
    """Serve one engine until it goes, or asks for the end.

    The end is an interrupt or SIGTERM, or the end of standard input where that is a pipe: the
    engine holds its other end, even when it is killed.
    """
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    children = Children()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=MAX_CALLS),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        LanguageHost(engine_address, children), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    _watch_input(end)
    end.wait()
    children.stop()
    # An orderly end of the server takes longer than the engine waits for, and frees nothing
    # that the end of the process does not.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _watch_input(end: threading.Event) -> None:
    if sys.stdin is None or not stat.S_ISFIFO(os.fstat(0).st_mode):
        return

    def read_to_end() -> None:
        while os.read(0, 4096):
            pass
        end.set()

    threading.Thread(target=read_to_end, daemon=True).start()
