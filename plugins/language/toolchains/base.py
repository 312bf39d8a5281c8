"""What every toolchain can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plugins.language.environment import program_environment
from plugins.language.options import Project
from plugins.language.toolchains.machine import python_on_path


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of an installation."""

    title: str
    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]


RunStep = Callable[[Step], None]
"""Runs a step and shows its output.

Raises
------
LanguageError
    If the command fails.
"""


class Toolchain(ABC):
    """One project's Python environment."""

    name: str
    """As written in Pulumi.yaml."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def virtualenv(self) -> Path | None:
        """Folder of the virtual environment; None for the Python on PATH."""
        return self._find_virtualenv()

    @abstractmethod
    def _find_virtualenv(self) -> Path | None: ...

    @abstractmethod
    def require(self) -> None:
        """Make sure that the environment can run the program.

        Raises
        ------
        LanguageError
            If it cannot, with what to do.
        """

    @abstractmethod
    def install(self, run: RunStep) -> None:
        """Create the environment where there is none, and install the project's dependencies."""

    @property
    def python(self) -> str:
        """Path of the program's Python."""
        return python_on_path() if self.virtualenv is None else str(python_in(self.virtualenv))

    def is_complete(self) -> bool:
        """Whether the environment's Python is there."""
        return self.virtualenv is None or python_in(self.virtualenv).is_file()

    def environment(self) -> dict[str, str]:
        """Environment variables of the program: the engine's, with the environment activated."""
        return program_environment(self.virtualenv)


def python_in(virtualenv: Path) -> Path:
    """Where a virtual environment has its Python, whether it is there or not."""
    return virtualenv / "bin" / "python"


def nearest(folder: Path, name: str) -> Path | None:
    """Return the folder that holds a file: `folder` or the nearest above it, or None."""
    return next((place for place in [folder, *folder.parents] if (place / name).exists()), None)
