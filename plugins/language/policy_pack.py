"""A policy pack in Python, which learns its stack before it starts.

The engine tells a running policy pack its stack by a call; the Python SDK wants it in the
environment of the process. So the host answers the engine itself, starts the pack when the stack
is known, and hands every other call on.
"""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from plugins.language.bare_sdk import bare_sdk
from plugins.language.children import AtCallEnd, Children
from plugins.language.forwarder import Forwarder
from plugins.language.plugin_output import stream_output
from plugins.language.protocol import language_pb2

with bare_sdk():
    from pulumi.runtime.proto import analyzer_pb2

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import RunPluginResponse

StartPack = Callable[[dict[str, str]], subprocess.Popen[bytes]]
"""Starts the pack's process with further environment variables."""

_SERVICE = "/pulumirpc.Analyzer/"
_MAX_CALLS = 64


class PolicyPack:
    """One policy pack of one engine.

    Parameters
    ----------
    folder
        Where it is, for messages.
    start
        Starts its process.
    at_call_end
        Registers what is done when the engine withdraws the call.
    """

    def __init__(self, folder: Path, start: StartPack, at_call_end: AtCallEnd) -> None:
        self._folder = folder
        self._start = start
        self._at_call_end = at_call_end
        self._asked = threading.Event()
        self._stack: bytes = b""
        self._withdrawn = False
        self._forwarder = Forwarder(
            {
                f"{_SERVICE}Handshake": lambda _: b"",
                f"{_SERVICE}ConfigureStack": self._configure_stack,
            },
            when_needed=self._asked.set,
        )

    def run(self, children: Children) -> Iterator["RunPluginResponse"]:
        """Serve the engine and run the pack, yielding output and at last its exit code."""
        server = grpc.server(ThreadPoolExecutor(max_workers=_MAX_CALLS), [self._forwarder])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self._at_call_end(self._withdraw)
        yield language_pb2.RunPluginResponse(stdout=f"{port}\n".encode())
        self._asked.wait()
        if not self._withdrawn:
            yield from self._run_process(children)
        server.stop(None)

    def _run_process(self, children: Children) -> Iterator["RunPluginResponse"]:
        process = self._start(stack_variables(self._stack))
        for part in stream_output(process):
            if not self._is_port(part):
                yield part
        exit_code = children.wait(process)
        self._forwarder.fail(
            f"{self._folder}: should serve its policies (got exit code {exit_code}). "
            "Its output says why."
        )
        yield language_pb2.RunPluginResponse(exitcode=exit_code)

    def _is_port(self, part: "RunPluginResponse") -> bool:
        """Connect to the pack if a line of its output is its port."""
        line = part.stdout.strip()
        if self._forwarder.connected or not line.isdigit():
            return False
        first = {f"{_SERVICE}ConfigureStack": self._stack} if self._stack else {}
        self._forwarder.connect(int(line), first)
        return True

    def _configure_stack(self, request: bytes) -> bytes:
        self._stack = request
        self._asked.set()
        return b""

    def _withdraw(self) -> None:
        self._withdrawn = True
        self._asked.set()


def stack_variables(request: bytes) -> dict[str, str]:
    """Return the environment variables by which the SDK's `pulumi.policy` learns the stack.

    Parameters
    ----------
    request
        A serialised AnalyzerStackConfigureRequest; empty when the engine told nothing, as in
        `pulumi policy publish`.
    """
    if not request:
        return {}
    stack = analyzer_pb2.AnalyzerStackConfigureRequest.FromString(request)
    variables = {
        "PULUMI_ORGANIZATION": stack.organization,
        "PULUMI_PROJECT": stack.project,
        "PULUMI_STACK": stack.stack,
        "PULUMI_DRY_RUN": "true" if stack.dry_run else "false",
        "PULUMI_CONFIG": json.dumps(dict(stack.config)),
    }
    return {name: value for name, value in variables.items() if value}
