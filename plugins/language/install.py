"""The InstallDependencies call: fill the project's environment and show the tools' output."""

import subprocess
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING

from plugins.language.children import Children
from plugins.language.errors import LanguageError
from plugins.language.options import read_project
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.base import Step
from plugins.language.toolchains.resolve import resolve_toolchain

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import (
        InstallDependenciesRequest,
        InstallDependenciesResponse,
    )


def install_dependencies(
    request: "InstallDependenciesRequest", children: Children
) -> Iterator["InstallDependenciesResponse"]:
    """Install what the project needs, yielding output as it comes.

    An environment that is complete is left as it is: the tools find everything satisfied.

    Raises
    ------
    LanguageError
        If a tool is missing or fails.
    """
    toolchain = resolve_toolchain(read_project(request.info, is_plugin=request.is_plugin))
    output: SimpleQueue[bytes | Exception | None] = SimpleQueue()

    def run(step: Step) -> None:
        output.put(f"{step.title}...\n".encode())
        _run_step(step, output, children)

    def install() -> None:
        try:
            toolchain.install(run)
        except Exception as error:  # handed to the caller's thread
            output.put(error)
        output.put(None)

    threading.Thread(target=install, daemon=True).start()
    while (part := output.get()) is not None:
        if isinstance(part, Exception):
            raise part
        yield language_pb2.InstallDependenciesResponse(stdout=part)


def _run_step(
    step: Step, output: "SimpleQueue[bytes | Exception | None]", children: Children
) -> None:
    process = children.start(
        step.command,
        folder=step.folder,
        environment=step.environment,
        output=subprocess.PIPE,
        errors=subprocess.STDOUT,
    )
    assert process.stdout is not None
    for line in process.stdout:
        output.put(line)
    exit_code = children.wait(process)
    if exit_code:
        raise LanguageError(
            f"{step.folder}: `{' '.join(step.command)}` should succeed "
            f"(got exit code {exit_code}). Its output above says why."
        )
