"""Tests, checks and comparisons, in a Python environment of their own."""

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from toolchain.setup.console import Console
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.python_packages import install_environment, is_complete
from toolchain.setup.work import Work

# One after the other: pip wants hashes for all of a run or for none.
_REQUIREMENTS = ("requirements.txt", "app/requirements.txt", "requirements-dev.txt")
_CODE = ("infra", "app", "migrations", "operations", "plugins", "policy", "toolchain", "tests", "benchmarks", "__main__.py")


def development_python(project: Project, console: Console) -> Path:
    """Interpreter of the environment with the development tools, made if it is not there."""
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
    work.say("install the packages of requirements-dev.txt")
    try:
        install_environment(folder, files, work)
    finally:
        work.kill()
        work.console.end(work.label)


def run_module(project: Project, python: Path, module: str, arguments: Sequence[str]) -> None:
    """Become the module, the environment's programs first on PATH; does not return."""
    path = f"{python.parent}{os.pathsep}{project.environ.get('PATH', '')}"
    os.chdir(project.root)
    command = [str(python), "-m", module, *arguments]
    os.execve(python, command, {**project.environ, "PATH": path})


def run_checks(project: Project, python: Path) -> list[str]:
    """Run every checker that is there; the names of those that have found something."""
    code = [name for name in _CODE if (project.root / name).exists()]
    commands = {
        "ruff check": [str(python), "-m", "ruff", "check", *code],
        "ruff format": [str(python), "-m", "ruff", "format", "--check", *code],
        "pyright": [str(python), "-m", "pyright", "--pythonpath", str(python)],
        "hadolint": [str(python.parent / "hadolint"), *map(str, _dockerfiles(project.root))],
    }
    if shellcheck := shutil.which("shellcheck"):
        commands["shellcheck"] = [shellcheck, *map(str, _shell_scripts(project.root))]
    return [
        name
        for name, command in commands.items()
        if subprocess.run(command, cwd=project.root).returncode
    ]


def _shell_scripts(root: Path) -> list[Path]:
    launchers = root / "toolchain" / "setup" / "launchers"
    named = [file for file in launchers.iterdir() if not file.suffix]
    return [root / "activate", *sorted(named), *sorted((root / "docker").rglob("*.sh"))]


def _dockerfiles(root: Path) -> list[Path]:
    folders = (root / "docker", root / "toolchain" / "images")
    return [file for folder in folders for file in sorted(folder.glob("*/Dockerfile"))]
