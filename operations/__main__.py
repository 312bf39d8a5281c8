"""`python3 -m operations <target>`: what a make target runs, in the machine's Python."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from operations.arguments import (
    INSPECTING,
    STATE,
    VARIABLES,
    command_line,
    names_engine,
    parse,
    render_targets,
)
from operations.development_tools import check, lint, run_benchmarks, run_tests
from operations.doctor import print_findings
from operations.terminal import run_reporting
from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment, render_exports, spare_loopback
from toolchain.setup.project import Project
from toolchain.setup.setup import clean_cache, ready_environment, set_up
from toolchain.setup.steps.pulumi import LanguageHost
from toolchain.setup.steps.python_environment import ProgramEnvironment


def print_targets(project: Project, console: Console, options: argparse.Namespace) -> int:
    """`make help`."""
    print(render_targets())
    return 0


def set_up_alone(project: Project, console: Console, options: argparse.Namespace) -> int:
    """`make setup`; for `activate` it prints what a shell exports."""
    exported = set_up(project, console)
    if options.environment:
        print(render_exports(exported), end="")
    return 0


def clean_cache_alone(project: Project, console: Console, options: argparse.Namespace) -> int:
    """`make clean-cache`."""
    clean_cache(project, console)
    return 0


_OWN: dict[str, Callable[[Project, Console, argparse.Namespace], int]] = {
    "help": print_targets,
    "setup": set_up_alone,
    "test": run_tests,
    "lint": lint,
    "check": check,
    "bench": run_benchmarks,
    "clean-cache": clean_cache_alone,
}
"""The targets that concern no stack."""


def run(words: Sequence[str], project: Project, console: Console) -> int:
    """Run one target; its exit code. Raises UserError with what to do."""
    options = parse(words)
    if own := _OWN.get(options.target):
        return own(project, console, options)
    if options.target == "doctor":
        if not ProgramEnvironment(project).find():
            # Reading a stack, and which engine is its own, takes libraries.
            return print_findings(project, as_json=options.json)
        return _go_on(project, words, describe_environment(project))
    if options.target in INSPECTING:
        needs_pulumi = options.target in ("output", "history", *STATE)
        needed = [ProgramEnvironment, *([LanguageHost] if needs_pulumi else [])]
        return _go_on(project, words, ready_environment(project, needed))
    engine = not names_engine(project.root, options.stack)
    return _go_on(project, words, set_up(project, console, engine=engine))


def _go_on(project: Project, words: Sequence[str], exported: Mapping[str, str]) -> NoReturn:
    """Become the second stage, in the program's Python: signals reach it directly."""
    command = [str(project.python), "-m", "operations.on_stack", *words]
    os.chdir(project.root)
    os.execve(command[0], command, {**project.environ, **exported})


def main(words: Sequence[str]) -> int:
    """Run one target as `make` calls it; its exit code."""
    os.environ |= spare_loopback(os.environ)
    environ = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return run_reporting(
        lambda: run(command_line(words, os.environ), Project(environ=environ), Console()),
        interrupted="stopped; the next run goes on from here",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
