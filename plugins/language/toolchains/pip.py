"""pip and venv: the default."""

import os
from pathlib import Path

from plugins.language.errors import LanguageError
from plugins.language.toolchains.base import RunStep, Step, Toolchain
from plugins.language.toolchains.machine import python_on_path


class Pip(Toolchain):
    """A virtual environment made by `python -m venv`, or the Python on PATH when none is named."""

    name = "pip"

    def _find_virtualenv(self) -> Path | None:
        option = self.project.virtualenv
        return self.project.root / option if option else None

    def require(self) -> None:
        """Refuse an environment that is named and not there."""
        if self.virtualenv is None or self.is_complete():
            return
        found = "a folder without bin/python" if self.virtualenv.exists() else "none"
        raise LanguageError(
            "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
            f"(got {found} at {self.virtualenv}). Run `pulumi install` to create it."
        )

    def install(self, run: RunStep) -> None:
        """Create the environment and install requirements.txt, where either is to be done."""
        if not self.is_complete():
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
