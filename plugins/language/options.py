"""What Pulumi.yaml says about the program: its folders and its `runtime.options`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.language.errors import LanguageError

if TYPE_CHECKING:
    from pulumi.runtime.proto import language_pb2

TOOLCHAINS = ("pip", "uv", "poetry")
"""Values of the option `toolchain`; without it, a lock file or pip decides."""

TYPECHECKERS = ("mypy", "pyright")
"""Values of the option `typechecker`; without it, nothing is checked."""

_WHERE = "Pulumi.yaml:runtime.options"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A program or plugin, as the engine describes it."""

    root: Path
    """Folder of Pulumi.yaml (or PulumiPlugin.yaml, PulumiPolicy.yaml)."""
    program: Path
    """Folder of the program; differs from the root when Pulumi.yaml sets `main`."""
    entry_point: str = "."
    """What to run, relative to the program's folder."""
    toolchain: str = ""
    virtualenv: str = ""
    typechecker: str = ""


def read_project(info: "language_pb2.ProgramInfo", *, is_plugin: bool = False) -> Project:
    """Read the engine's description of a program.

    A plugin that names neither toolchain nor virtual environment has one called `venv`, as
    Pulumi's own host has it: a plugin never runs in the machine's Python.

    Raises
    ------
    LanguageError
        If an option is of the wrong type or has an unknown value.
    """
    options = dict(info.options.items())
    toolchain = _choice(options, "toolchain", TOOLCHAINS)
    virtualenv = _text(options, "virtualenv")
    if is_plugin and toolchain in ("", "pip"):
        virtualenv = virtualenv or "venv"
    return Project(
        root=Path(info.root_directory),
        program=Path(info.program_directory or info.root_directory),
        entry_point=info.entry_point or ".",
        toolchain=toolchain,
        virtualenv=virtualenv,
        typechecker=_choice(options, "typechecker", TYPECHECKERS),
    )


def _text(options: Mapping[str, Any], key: str) -> str:
    value = options.get(key, "")
    if not isinstance(value, str):
        raise LanguageError(
            f"{_WHERE}.{key}: should be a string (got {value!r}). Write it in quotes."
        )
    return value


def _choice(options: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = _text(options, key)
    if value and value not in choices:
        raise LanguageError(
            f"{_WHERE}.{key}: should be {', '.join(choices[:-1])} or {choices[-1]} "
            f"(got {value!r}). Change it, or leave it out."
        )
    return value
