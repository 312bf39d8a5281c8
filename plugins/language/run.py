"""The Run call: one program, in a process of the project's own Python."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.language import executor
from plugins.language.children import AtCallEnd, Children
from plugins.language.errors import LanguageError
from plugins.language.executor import exit_codes
from plugins.language.options import Project, read_project
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.base import Toolchain
from plugins.language.toolchains.resolve import resolve_toolchain
from plugins.language.typecheck import check_types

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import RunRequest, RunResponse

_EXECUTOR = Path(executor.__file__).parent


def run_program(
    request: "RunRequest", engine_address: str, children: Children, at_call_end: AtCallEnd
) -> "RunResponse":
    """Run the program and wait for its end.

    Parameters
    ----------
    request
        What to run, and where it reaches the engine's monitor.
    engine_address
        Where it reaches the engine itself, `host:port`.
    children
        Knows the program, to end it before the host ends.
    at_call_end
        Registers what is done when the engine withdraws the call.

    Raises
    ------
    LanguageError
        If the project's environment cannot run a program.
    """
    if request.attach_debugger:
        raise LanguageError(
            "--attach-debugger: should not be set (got it). This language host starts no debugger; "
            "use Pulumi's own pulumi-language-python."
        )
    project = read_project(request.info)
    toolchain = resolve_toolchain(project)
    toolchain.require()
    check_types(project, toolchain, children)
    process = children.start(
        program_command(request, project, toolchain.python, engine_address),
        folder=project.program,
        environment={**toolchain.environment(), **config_variables(request)},
    )
    children.end_with(process, at_call_end)
    return _response(children.wait(process), toolchain, children)


def program_command(
    request: "RunRequest", project: Project, python: str, engine_address: str
) -> list[str]:
    """Return the command that runs a program: the executor and its settings as JSON."""
    settings = {
        "pwd": request.pwd or str(project.program),
        "entry_point": project.entry_point,
        "arguments": list(request.args),
        "runtime": {
            "monitor": request.monitor_address,
            "engine": engine_address,
            "project": request.project,
            "root_directory": str(project.root),
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
        },
    }
    return [python, str(_EXECUTOR), json.dumps(settings)]


def config_variables(request: "RunRequest") -> dict[str, str]:
    """Return the stack's configuration as the SDK reads it from the environment."""
    return {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def _response(exit_code: int, toolchain: Toolchain, children: Children) -> "RunResponse":
    if exit_code == 0:
        return language_pb2.RunResponse()
    if exit_code == exit_codes.ERROR_REPORTED or children.cancelled:
        return language_pb2.RunResponse(bail=True)
    if exit_code == exit_codes.SDK_MISSING:
        raise LanguageError(
            f"{toolchain.python}: should have the Python package pulumi (got none). "
            "Run `pulumi install`, or add pulumi to the project's requirements."
        )
    if exit_code < 0:
        return language_pb2.RunResponse(error=f"program was ended by signal {-exit_code}")
    return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {exit_code}")
