"""`python3 -m operations <target>`: what a make target runs, in the machine's Python."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from operations.arguments import (
    INSPECTING,
    VARIABLES,
    command_line,
    names_engine,
    parse,
    render_targets,
)
from operations.development_tools import check, run_benchmarks, run_tests
from operations.doctor import print_findings
from operations.terminal import run_reporting
from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.setup import ready_environment, set_up
from toolchain.setup.steps.python_environment import PythonEnvironment


def print_targets(project: Project, console: Console, words: Sequence[str]) -> int:
    """`make help`."""
    print(render_targets())
    return 0


def set_up_alone(project: Project, console: Console, words: Sequence[str]) -> NoReturn:
    """`make setup`: the set-up has options of its own."""
    command = [sys.executable, "-m", "toolchain.setup", *words]
    os.execve(sys.executable, command, dict(project.environ))


def clean_cache(project: Project, console: Console, words: Sequence[str]) -> int:
    """`make clean-cache`."""
    shutil.rmtree(project.places.cache, ignore_errors=True)
    return 0


_OWN: dict[str, Callable[[Project, Console, Sequence[str]], int]] = {
    "help": print_targets,
    "setup": set_up_alone,
    "test": run_tests,
    "lint": check,
    "bench": run_benchmarks,
    "clean-cache": clean_cache,
}
"""The targets that concern no stack."""


def run(words: Sequence[str], project: Project, console: Console) -> int:
    """Run one target; its exit code. Raises UserError or SetupError with what to do."""
    options = parse(words)
    if own := _OWN.get(options.target):
        return own(project, console, options.extra)
    if options.target == "doctor":
        if not PythonEnvironment(project).find():
            return print_findings(project)  # reading the stack's own engine takes libraries
        exported = describe_environment(project)
    elif options.target in INSPECTING:
        exported = ready_environment(project)
    else:
        exported = set_up(project, console, engine=not names_engine(project.root, options.stack))
    return _go_on(project, words, exported)


def _go_on(project: Project, words: Sequence[str], exported: Mapping[str, str]) -> NoReturn:
    """Become the second stage, in the program's Python: signals reach it directly."""
    command = [str(project.python), "-m", "operations.on_stack", *words]
    os.chdir(project.root)
    os.execve(command[0], command, {**project.environ, **exported})


def main(words: Sequence[str]) -> int:
    """Run one target as `make` calls it; its exit code."""
    environ = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    console = Console(columns=shutil.get_terminal_size().columns)
    return run_reporting(
        lambda: run(command_line(words, os.environ), Project(environ=environ), console),
        SetupError,
        interrupted="stopped; the next run goes on from here",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
