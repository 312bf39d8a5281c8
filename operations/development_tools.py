"""Tests, checks and comparisons, in a Python environment of their own."""

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.schedule import run_steps
from toolchain.setup.setup import set_up
from toolchain.setup.steps.python_environment import PythonEnvironment

# In the order of collection: what takes longest comes first, the unit tests fill the gaps.
_ALL_TESTS = ("tests", "--numprocesses=2", "--dist=loadgroup", "--no-loadscope-reorder")


class _DevelopmentTools(PythonEnvironment):
    name = "development tools"
    purpose = "install the packages of requirements-dev.txt"
    requirements = ("requirements.txt", "app/requirements.txt", "requirements-dev.txt")


def run_tests(project: Project, console: Console, options: argparse.Namespace) -> NoReturn:
    """Become pytest, on all tests unless some are named."""
    # The tests would set up as well, but out of sight.
    set_up(project, console)
    named = any(not word.startswith("-") for word in options.extra)
    _become(project, console, "pytest", *(() if named else _ALL_TESTS), *options.extra)


def run_benchmarks(project: Project, console: Console, options: argparse.Namespace) -> NoReturn:
    """Become the comparison with Docker Compose and a bare FastAPI."""
    _become(project, console, "benchmarks", *options.extra)


def check(project: Project, console: Console, options: argparse.Namespace) -> int:
    """Run every checker; raises UserError with the names of those that have found something."""
    python = _development_python(project, console)
    folders = [project.root / name for name in (".github", "docker", "toolchain")]
    images, scripts = ([*map(str, _find(folders, name))] for name in ("Dockerfile", "*.sh"))
    commands = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "pyright": [python, "-m", "pyright", "--pythonpath", python],
        "hadolint": [python.with_name("hadolint"), *images],
        "zizmor": [python.with_name("zizmor"), "--offline", "--quiet", ".github"],
    }
    if shellcheck := shutil.which("shellcheck"):
        commands["shellcheck"] = [shellcheck, "activate", *scripts]
    if actionlint := shutil.which("actionlint"):
        commands["actionlint"] = [actionlint]
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
        run_steps([tools], project, console)
    return tools.folder / "bin" / "python"
