"""Tests, checks and comparisons, in a Python environment of their own."""

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.python_packages import install_environment, is_complete
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
    files = [project.root / name for name in _REQUIREMENTS if (project.root / name).exists()]
    folder = project.python_folder(*(str(file.relative_to(project.root)) for file in files))
    if not is_complete(folder):
        with hold_lock(project.places.lock, console.say) as lock:
            if not is_complete(folder):
                log = project.places.logs / "development-tools.log"
                work = Work("development tools", console, log, threading.Event(), lock)
                _install(folder, files, work)
    return folder / "bin" / "python"


def _install(folder: Path, files: Sequence[Path], work: Work) -> None:
    work.say("installing the packages of requirements-dev.txt")
    try:
        install_environment(folder, files, work)
    finally:
        work.kill()
        work.console.end(work.label)
