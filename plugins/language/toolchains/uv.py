"""uv: a project with pyproject.toml, kept in step with its lock file."""

import os
import shutil
import subprocess
from pathlib import Path

from plugins.language.errors import LanguageError
from plugins.language.toolchains.base import RunStep, Step, Toolchain, nearest

_PLACE = "UV_PROJECT_ENVIRONMENT"


class Uv(Toolchain):
    """The environment `uv sync` makes."""

    name = "uv"

    def _find_virtualenv(self) -> Path:
        if self.project.virtualenv:
            return self.project.root / self.project.virtualenv
        program = self.project.program
        # Where uv itself has it.
        beside = nearest(program, "uv.lock") or nearest(program, "pyproject.toml") or program
        return beside / os.environ.get(_PLACE, ".venv")

    def require(self) -> None:
        """Bring the environment in step with the lock file, as `uv run` does."""
        executable = _uv_on_path()
        if nearest(self.project.program, "pyproject.toml") is not None:
            _run_quietly(self._step(executable, "sync", "--inexact"))
        if not self.is_complete():
            raise LanguageError(
                "Pulumi.yaml:runtime.options.toolchain: uv should have made a virtual environment "
                f"(got none at {self.virtualenv}). Run `pulumi install` to create it."
            )

    def install(self, run: RunStep) -> None:
        """Run `uv sync`."""
        executable = _uv_on_path()
        if nearest(self.project.program, "pyproject.toml") is None:
            raise LanguageError(
                f"{self.project.program}: should have a pyproject.toml for the toolchain uv "
                "(got none). Run `uv init --bare` and `uv add -r requirements.txt`, "
                "or set the toolchain to pip."
            )
        run(self._step(executable, "sync"))

    def _step(self, executable: str, *arguments: str) -> Step:
        return Step(
            title=f"Running uv {' '.join(arguments)}",
            command=(executable, *arguments),
            folder=self.project.program,
            environment={**os.environ, _PLACE: str(self.virtualenv)},
        )


def _uv_on_path() -> str:
    found = shutil.which("uv")
    if found is None:
        raise LanguageError(
            "Pulumi.yaml:runtime.options.toolchain: uv should be on PATH (got none). "
            "Install it with `pip install uv`, or set the toolchain to pip."
        )
    return found


def _run_quietly(step: Step) -> None:
    done = subprocess.run(
        step.command,
        cwd=step.folder,
        env=step.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LanguageError(
            f"{step.folder}: `uv {' '.join(step.command[1:])}` should succeed "
            f"(got exit code {done.returncode}). {done.stderr.strip()}"
        )
