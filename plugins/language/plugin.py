"""The RunPlugin call: plugins written in Python, each in a process of its own."""

import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.language.children import AtCallEnd, Children
from plugins.language.environment import program_environment
from plugins.language.options import read_project
from plugins.language.plugin_command import ANALYZER, plugin_command
from plugins.language.plugin_output import stream_output
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.resolve import resolve_toolchain

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import RunPluginRequest, RunPluginResponse


def run_plugin(
    request: "RunPluginRequest", children: Children, at_call_end: AtCallEnd
) -> Iterator["RunPluginResponse"]:
    """Run a plugin, yielding its output as it comes and at last its exit code.

    Parameters
    ----------
    request
        The plugin, its arguments and its environment.
    children
        Knows the process, to end it before the host ends.
    at_call_end
        Registers what is done when the engine withdraws the call, which ends the plugin.

    Raises
    ------
    LanguageError
        If the plugin has no environment or nothing to run.
    """
    is_policy_pack = request.kind == ANALYZER
    project = read_project(request.info, is_plugin=not is_policy_pack)
    toolchain = resolve_toolchain(project)
    toolchain.require()
    command = plugin_command(project, request.kind, toolchain.python, request.args)
    environment = program_environment(toolchain.virtualenv, read_variables(request.env))
    # A policy pack has always run in its own folder, other plugins in the program's.
    folder = project.program if is_policy_pack else Path(request.pwd)

    def start(variables: dict[str, str]) -> subprocess.Popen[bytes]:
        process = children.start(
            command,
            folder=folder,
            environment={**environment, **variables},
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
            # The engine has told it to finish, over its own connection.
            ended_by=signal.SIGTERM,
        )
        children.end_with(process, at_call_end)
        return process

    if is_policy_pack:
        from plugins.language.policy_pack import PolicyPack

        yield from PolicyPack(project.program, start, at_call_end).run(children)
    else:
        process = start({})
        yield from stream_output(process)
        yield language_pb2.RunPluginResponse(exitcode=children.wait(process))


def read_variables(lines: Iterable[str]) -> dict[str, str]:
    """Read `NAME=value` lines; the last of a name counts."""
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
