"""The command that runs a plugin written in Python."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from plugins.language.errors import LanguageError
from plugins.language.options import Project

ANALYZER = "analyzer"
"""The engine's word for a policy pack."""


def plugin_command(project: Project, kind: str, python: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs a plugin.

    A policy pack is run by the SDK's `pulumi.policy`, with its folder as the last argument; a
    folder with `__main__.py` by Python itself; a package (pyproject.toml) by the SDK's
    `pulumi.run.plugin`, which serves the components that it defines.

    Parameters
    ----------
    project
        The plugin's folders.
    kind
        The engine's word for what it is: resource, analyzer, converter, tool.
    python
        Path of the plugin's Python.
    arguments
        What the engine tells the plugin, its address first.

    Raises
    ------
    LanguageError
        If the folder holds nothing to run.
    """
    if kind == ANALYZER:
        return [python, "-u", "-m", "pulumi.policy", *arguments, str(project.program)]
    if (project.root / "__main__.py").is_file():
        return [python, "-u", str(project.program), *arguments]
    return [python, "-u", "-m", "pulumi.run.plugin", _package_name(project.root), *arguments]


def _package_name(folder: Path) -> str:
    file = folder / "pyproject.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LanguageError(
            f"{folder}: should have a __main__.py or a pyproject.toml to be run as a plugin "
            "(got neither). Add one."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise LanguageError(f"{file}: should be TOML (got: {error}). Correct it.") from None
    name = content.get("project", {}).get("name")
    if not isinstance(name, str) or "build-system" not in content:
        raise LanguageError(
            f"{file}: should have project.name and [build-system] to be run as a plugin "
            "(got a file without). Add them, or a __main__.py beside it."
        )
    return name
