"""pip and venv: the default."""

import os
import shutil
from functools import cached_property
from pathlib import Path

from plugins.language.errors import LanguageError
from plugins.language.toolchains.base import RunStep, Step, Toolchain, python_in


class Pip(Toolchain):
    """A virtual environment made by `python -m venv`, or the Python on PATH when none is named."""

    name = "pip"

    @cached_property
    def virtualenv(self) -> Path | None:
        """The option's folder, relative to Pulumi.yaml."""
        option = self.project.virtualenv
        return self.project.root / option if option else None

    @property
    def python(self) -> str:
        """The environment's Python, or the one on PATH."""
        return super().python if self.virtualenv is not None else python_on_path()

    def require(self) -> None:
        """Refuse an environment that is named and not there."""
        if self.virtualenv is None or python_in(self.virtualenv).is_file():
            return
        found = "a folder without bin/python" if self.virtualenv.exists() else "none"
        raise LanguageError(
            "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
            f"(got {found} at {self.virtualenv}). Run `pulumi install` to create it."
        )

    def install(self, run: RunStep) -> None:
        """Create the environment and install requirements.txt, where either is to be done."""
        if self.virtualenv is not None and not python_in(self.virtualenv).is_file():
            create = (python_on_path(), "-m", "venv", str(self.virtualenv))
            run(self._step(f"Creating virtual environment {self.virtualenv}", create, {}))
        if (self.project.program / "requirements.txt").is_file():
            install = (self.python, "-m", "pip", "install", "-r", "requirements.txt")
            run(self._step("Installing requirements.txt", install, self.environment()))

    def _step(self, title: str, command: tuple[str, ...], environment: dict[str, str]) -> Step:
        return Step(
            title=title,
            command=command,
            folder=self.project.program,
            environment=environment or dict(os.environ),
        )


def python_on_path() -> str:
    """Return the machine's Python: PULUMI_PYTHON_CMD, python3 or python.

    Raises
    ------
    LanguageError
        If there is none.
    """
    named = os.environ.get("PULUMI_PYTHON_CMD")
    names = [named] if named else ["python3", "python"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise LanguageError(
            f"PATH: should have {' or '.join(names)} (got none). Install Python, "
            "or name a virtual environment in Pulumi.yaml:runtime.options.virtualenv."
        )
    return found
