"""Poetry: a project with pyproject.toml, whose environment poetry knows the place of."""

import os
import shutil
import subprocess
from pathlib import Path

from plugins.language.errors import LanguageError
from plugins.language.toolchains.base import RunStep, Step, Toolchain, nearest


class Poetry(Toolchain):
    """The environment `poetry install` makes."""

    name = "poetry"

    def _find_virtualenv(self) -> Path:
        done = subprocess.run(
            [_poetry_on_path(), "env", "info", "--path", "--no-ansi"],
            cwd=self.project.program,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        place = done.stdout.strip()
        if done.returncode or not place:
            raise LanguageError(
                f"{self.project.program}: should have an environment made by poetry (got none). "
                "Run `pulumi install` to create it."
            )
        return Path(place)

    def require(self) -> None:
        """Refuse an environment that poetry names and that is not there."""
        if not self.is_complete():
            raise LanguageError(
                f"{self.virtualenv}: should be the environment made by poetry (got none). "
                "Run `pulumi install` to create it."
            )

    def install(self, run: RunStep) -> None:
        """Run `poetry install`."""
        executable = _poetry_on_path()
        if nearest(self.project.program, "pyproject.toml") is None:
            raise LanguageError(
                f"{self.project.program}: should have a pyproject.toml for the toolchain poetry "
                "(got none). Run `poetry init`, or set the toolchain to pip."
            )
        run(
            Step(
                title="Running poetry install",
                command=(executable, "install", "--no-ansi"),
                folder=self.project.program,
                environment=dict(os.environ),
            )
        )


def _poetry_on_path() -> str:
    found = shutil.which("poetry")
    if found is None:
        raise LanguageError(
            "Pulumi.yaml:runtime.options.toolchain: poetry should be on PATH (got none). "
            "Install it with `pip install poetry`, or set the toolchain to pip."
        )
    return found
