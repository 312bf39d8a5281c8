"""Tests, checks and comparisons, in a Python environment of their own."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.go_module import provider_module, pulumi_module
from toolchain.setup.project import Project
from toolchain.setup.schedule import run_steps
from toolchain.setup.setup import KEEP_GO_CACHE, set_up
from toolchain.setup.steps.python_environment import PythonEnvironment

# In the order of collection: what takes longest comes first.
_TWO_WORKERS = ("--numprocesses=2", "--dist=loadgroup", "--no-loadscope-reorder")
_PHASES = (
    ("-m", "not alone and not unit", *_TWO_WORKERS),
    # What waits for time limits, of nginx for one, would meet a machine that is too busy with other
    # stacks; unit tests, which start none, take the processor that it mostly leaves idle.
    ("-m", "alone or unit", *_TWO_WORKERS),
)
_NOTHING_CHOSEN = 5
"""pytest's exit code where a filter leaves no test of a phase."""
_WORKFLOWS = ("docs/ci/publish-api.yml",)
"""By name: of a folder zizmor reads what lies in its `.github/workflows` alone."""
_Commands = dict[str, Sequence[str | Path]]
"""What a checker's command line is, by the name that a user knows."""


class _DevelopmentTools(PythonEnvironment):
    name = "development tools"
    purpose = "install the packages of requirements-dev.txt"
    requirements = ("requirements.txt", "app/requirements.txt", "requirements-dev.txt")


def run_tests(project: Project, console: Console, options: argparse.Namespace) -> int:
    """Run the tests that are named, or all, with two workers in two phases; the exit code."""
    # The tests would set up as well, but out of sight.
    set_up(project, console)
    if any(not word.startswith("-") for word in options.extra):
        _become(project, console, "pytest", *options.extra)
    python, environ = _prepare(project, console)
    codes = [
        subprocess.run(
            [python, "-m", "pytest", "tests", *phase, *options.extra],
            cwd=project.root,
            env=environ,
        ).returncode
        for phase in _PHASES
    ]
    if set(codes) == {_NOTHING_CHOSEN}:
        return _NOTHING_CHOSEN
    return next((code for code in codes if code not in (0, _NOTHING_CHOSEN)), 0)


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
    return _run_all("check", project, _quick_checkers(project, python) | slow | _go_vet(project))


def _go_vet(project: Project) -> _Commands:
    """It takes seconds with what a build has compiled, and else as long as the build."""
    if not project.places.go.exists():
        print(f"go vet: no Go cache ({KEEP_GO_CACHE} keeps it), so not asked", file=sys.stderr)
        return {}
    modules = (pulumi_module(project), provider_module(project))
    return {f"go vet of toolchain/{module.name}": module.vetting for module in modules}


def _quick_checkers(project: Project, python: Path) -> _Commands:
    folders = [project.root / name for name in (".ci", "docker", "toolchain")]
    images = _find(folders, "Dockerfile")
    scripts = filter(_is_shell_script, _find(folders, "*"))
    commands: _Commands = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "hadolint": [python.with_name("hadolint"), *images],
        "shellcheck": [python.with_name("shellcheck"), "activate", *scripts],
        "zizmor": [python.with_name("zizmor"), "--offline", "--quiet", ".github", *_WORKFLOWS],
    }
    # No wheel carries it.
    if actionlint := shutil.which("actionlint"):
        commands["actionlint"] = [actionlint]
    else:
        print("actionlint: not installed, so not asked", file=sys.stderr)
    return commands


def _run_all(target: str, project: Project, commands: _Commands) -> int:
    ended = {name: subprocess.run(line, cwd=project.root) for name, line in commands.items()}
    if failed := [name for name, done in ended.items() if done.returncode]:
        raise UserError(f"{target}: should find nothing (got: {', '.join(failed)}). Correct it.")
    return 0


def _find(folders: Sequence[Path], pattern: str) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.rglob(pattern))]


def _is_shell_script(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return bool(re.match(rb"#!.*\b(ba)?sh\b", opened.readline(80)))


def _become(project: Project, console: Console, module: str, *words: str) -> NoReturn:
    """Run the module in place of this process."""
    python, environ = _prepare(project, console)
    os.chdir(project.root)
    os.execve(python, [str(python), "-m", module, *words], environ)


def _prepare(project: Project, console: Console) -> tuple[Path, Mapping[str, str]]:
    """The interpreter, and an environment with its programs first on PATH."""
    python = _development_python(project, console)
    path = f"{python.parent}{os.pathsep}{project.environ.get('PATH', '')}"
    return python, {**project.environ, "PATH": path}


def _development_python(project: Project, console: Console) -> Path:
    """Interpreter of the environment with the development tools, made if it is missing."""
    tools = _DevelopmentTools(project)
    if not tools.find():
        run_steps([tools], project, console)
    return tools.folder / "bin" / "python"
