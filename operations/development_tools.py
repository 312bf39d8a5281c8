"""Tests, checks and comparisons, in a Python environment of their own."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.python_packages import install_environment, is_complete
from toolchain.setup.schedule import Step, run_steps
from toolchain.setup.setup import set_up
from toolchain.setup.work import Work

# One after the other: pip wants hashes for all of a run or for none.
_REQUIREMENTS = ("requirements.txt", "app/requirements.txt", "requirements-dev.txt")


def run_tests(project: Project, console: Console, words: Sequence[str]) -> NoReturn:
    """Become pytest, on all tests unless some are named."""
    # The tests would set up as well, but out of sight.
    set_up(project, console)
    named = [] if any(not word.startswith("-") for word in words) else ["tests"]
    _become(project, console, "pytest", *named, *words)


def run_benchmarks(project: Project, console: Console, words: Sequence[str]) -> NoReturn:
    """Become the comparison with Docker Compose and a bare FastAPI."""
    _become(project, console, "benchmarks", *words)


def check(project: Project, console: Console, words: Sequence[str]) -> int:
    """Run every checker; raises UserError with the names of those that have found something."""
    python = _development_python(project, console)
    folders = (project.root / "docker", project.root / "toolchain")
    images, scripts = ([*map(str, _find(folders, name))] for name in ("Dockerfile", "*.sh"))
    commands = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "pyright": [python, "-m", "pyright", "--pythonpath", python],
        "hadolint": [python.with_name("hadolint"), *images],
    }
    if shellcheck := shutil.which("shellcheck"):
        commands["shellcheck"] = [shellcheck, "activate", *scripts]
    ended = {name: subprocess.run(line, cwd=project.root) for name, line in commands.items()}
    if failed := [name for name, done in ended.items() if done.returncode]:
        raise UserError(f"lint: should find nothing (got: {', '.join(failed)}). Correct it.")
    return 0


def _find(folders: Sequence[Path], pattern: str) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.rglob(pattern))]


def _become(project: Project, console: Console, module: str, *words: str) -> NoReturn:
    """Run the module in place of this process, the environment's programs first on PATH."""
    python = _development_python(project, console)
    path = f"{python.parent}{os.pathsep}{project.environ.get('PATH', '')}"
    os.chdir(project.root)
    os.execve(python, [str(python), "-m", module, *words], {**project.environ, "PATH": path})


def _development_python(project: Project, console: Console) -> Path:
    """Interpreter of the environment with the development tools, made if it is missing."""
    tools = _DevelopmentTools(project)
    if not tools.find():
        with hold_lock(project.places.lock, console.say) as lock:
            run_steps([tools], console, project.places.logs, lock)
    return tools.folder / "bin" / "python"


class _DevelopmentTools(Step):
    name = "development tools"
    purpose = f"install the packages of {_REQUIREMENTS[-1]}"

    @property
    def folder(self) -> Path:
        return self.project.python_folder(*_REQUIREMENTS)

    def find(self) -> str | None:
        return self.folder.name if is_complete(self.folder) else None

    def run(self, work: Work) -> None:
        files = [self.project.root / name for name in _REQUIREMENTS]
        install_environment(self.folder, files, work)
