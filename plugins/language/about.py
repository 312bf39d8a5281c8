"""The About and RuntimeOptionsPrompts calls: what `pulumi about` and `pulumi new` show."""

import shutil
import subprocess
from typing import TYPE_CHECKING

from plugins.language.options import TOOLCHAINS, Project, read_project
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.resolve import resolve_toolchain

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import (
        AboutRequest,
        AboutResponse,
        RuntimeOptionsRequest,
        RuntimeOptionsResponse,
    )

_IDENTIFY = "import platform, sys; print(sys.executable); print(platform.python_version())"


def describe_runtime(request: "AboutRequest") -> "AboutResponse":
    """Name the Python a program runs in.

    Raises
    ------
    LanguageError
        If there is none.
    """
    project = read_project(request.info)
    toolchain = resolve_toolchain(project)
    if project.virtualenv or project.toolchain:
        toolchain.require()
    done = subprocess.run(
        [toolchain.python, "-c", _IDENTIFY], capture_output=True, text=True, check=True
    )
    executable, version = done.stdout.splitlines()
    return language_pb2.AboutResponse(
        executable=executable, version=version, metadata=_metadata(project, toolchain.name)
    )


def _metadata(project: Project, toolchain: str) -> dict[str, str]:
    return {"toolchain": toolchain, "typechecker": project.typechecker or "none"}


def runtime_prompts(request: "RuntimeOptionsRequest") -> "RuntimeOptionsResponse":
    """Return the questions `pulumi new` asks: the toolchain, then pip's virtual environment."""
    options = dict(request.info.options.items())
    toolchain = options.get("toolchain")
    if toolchain is None:
        available = [name for name in TOOLCHAINS if name == "pip" or shutil.which(name)]
        return _prompt("toolchain", "The toolchain that installs dependencies", available)
    if toolchain == "pip" and "virtualenv" not in options:
        return _prompt("virtualenv", "The folder of the virtual environment", ["venv"])
    return language_pb2.RuntimeOptionsResponse()


def _prompt(key: str, description: str, choices: list[str]) -> "RuntimeOptionsResponse":
    kind = language_pb2.RuntimeOptionPrompt
    values = [
        kind.RuntimeOptionValue(promptType=kind.STRING, stringValue=choice, displayName=choice)
        for choice in choices
    ]
    prompt = kind(
        key=key,
        description=description,
        promptType=kind.STRING,
        choices=values,
        default=values[0],
    )
    return language_pb2.RuntimeOptionsResponse(prompts=[prompt])
