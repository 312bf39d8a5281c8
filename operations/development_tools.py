"""Tests, checks and comparisons, in a Python environment of their own."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.schedule import run_steps
from toolchain.setup.setup import set_up
from toolchain.setup.steps.python_environment import PythonEnvironment

_Commands = dict[str, Sequence[str | Path]]
"""What a checker's command line is, by the name that a user knows."""


class _DevelopmentTools(PythonEnvironment):
    name = "development tools"
    purpose = "install the packages of requirements-dev.txt"
    requirements = ("requirements.txt", "app/requirements.txt", "requirements-dev.txt")


def run_tests(project: Project, console: Console, options: argparse.Namespace) -> NoReturn:
    """Become pytest, on all tests unless some are named."""
    # The tests would set up as well, but out of sight.
    set_up(project, console)
    named = [] if any(not word.startswith("-") for word in options.extra) else ["tests"]
    _become(project, console, "pytest", *named, *options.extra)


def run_benchmarks(project: Project, console: Console, options: argparse.Namespace) -> NoReturn:
    """Become the comparison with Docker Compose and a bare FastAPI."""
    _become(project, console, "benchmarks", *options.extra)


def lint(project: Project, console: Console, options: argparse.Namespace) -> int:
    """Run the checkers that take a second each; raises UserError as `check` does."""
    return _run_all(
        "lint", project, _quick_checkers(project, _development_python(project, console))
    )


def check(project: Project, console: Console, options: argparse.Namespace) -> int:
    """Run every checker; raises UserError with the names of those that have found something."""
    python = _development_python(project, console)
    # What they read is made by the program: SQL of the migrations, Nginx's configuration.
    rendered = ("tests/unit/app/test_migrations.py", "tests/unit/infra/test_nginx_files.py")
    slow: _Commands = {
        "pyright": [python, "-m", "pyright", "--pythonpath", python],
        "squawk and gixy": [python, "-m", "pytest", "--quiet", *rendered],
    }
    return _run_all("check", project, _quick_checkers(project, python) | slow)


def _quick_checkers(project: Project, python: Path) -> _Commands:
    folders = [project.root / name for name in (".github", "docker", "toolchain")]
    images, scripts = ([*_find(folders, name)] for name in ("Dockerfile", "*.sh"))
    commands: _Commands = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "hadolint": [python.with_name("hadolint"), *images],
        "zizmor": [python.with_name("zizmor"), "--offline", "--quiet", ".github", "docs/ci"],
    }
    # No package of Python's carries these.
    for name, arguments in (("shellcheck", ["activate", *scripts]), ("actionlint", [])):
        if found := shutil.which(name):
            commands[name] = [found, *arguments]
        else:
            print(f"{name}: not installed, so not asked", file=sys.stderr)
    return commands


def _run_all(target: str, project: Project, commands: _Commands) -> int:
    ended = {name: subprocess.run(line, cwd=project.root) for name, line in commands.items()}
    if failed := [name for name, done in ended.items() if done.returncode]:
        raise UserError(f"{target}: should find nothing (got: {', '.join(failed)}). Correct it.")
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
