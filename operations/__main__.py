"""`python3 -m operations <command>`: what a make target runs."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence

from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.setup import set_up
from operations.development_tools import development_python, run_checks, run_module
from operations.doctor import print_findings
from operations.errors import CommandError
from operations.stack_commands import StackCommand

_DRIFT = ("refresh", "--preview-only", "--expect-no-changes", "--diff")
_OUTPUT = ("stack", "output")
_TESTS = ("tests",)


class Commands:
    """Each public method is a command and gives its exit code, or none for success."""

    def __init__(self, project: Project, console: Console, options: argparse.Namespace) -> None:
        self._project = project
        self._console = console
        self._options = options
        self._extra: list[str] = options.extra

    def up(self) -> int:
        command = self._stack_command()
        if not command.is_production:
            command.create_file()
        environ = command.prepare()
        command.create_stack(environ)
        command.clear_up(environ)
        return command.run(command.up(self._extra), environ) or command.run(_OUTPUT, environ)

    def preview(self) -> int:
        return self._run_pulumi("preview", "--refresh")

    def refresh(self) -> int:
        return self._run_pulumi("refresh", "--yes", "--skip-preview")

    def drift(self) -> int:
        return self._run_pulumi(*_DRIFT)

    def output(self) -> int:
        return self._run_pulumi(*_OUTPUT)

    def down(self) -> int:
        command = self._stack_command()
        arguments = command.down(self._extra)
        environ = command.prepare()
        command.clear_up(environ)
        return command.run(arguments, environ)

    def ps(self) -> None:
        self._run_module("operations.containers", "ps")

    def logs(self) -> None:
        self._run_module("operations.containers", "logs")

    def backup(self) -> None:
        self._run_module("operations.backups", "backup")

    def backups(self) -> None:
        self._run_module("operations.backups", "backups")

    def restore(self) -> None:
        yes = ["--yes"] if self._options.yes else []
        self._run_module("operations.restore", *yes)

    def doctor(self) -> None:
        print_findings(self._project)
        sys.stdout.flush()

    def test(self) -> None:
        # The tests would set up as well, but a user wants to see it happen.
        set_up(self._project, self._console)
        python = development_python(self._project, self._console)
        named = [] if any(not word.startswith("-") for word in self._extra) else _TESTS
        run_module(self._project, python, "pytest", [*named, *self._extra])

    def lint(self) -> None:
        python = development_python(self._project, self._console)
        if complaining := run_checks(self._project, python):
            raise CommandError(f"lint: should find nothing (got: {', '.join(complaining)}).")

    def bench(self) -> None:
        python = development_python(self._project, self._console)
        run_module(self._project, python, "benchmarks", self._extra)

    def clean_cache(self) -> None:
        shutil.rmtree(self._project.places.cache, ignore_errors=True)

    def _stack_command(self) -> StackCommand:
        return StackCommand(
            self._project,
            self._console,
            self._options.stack,
            interactive=sys.stdin.isatty() and sys.stdout.isatty(),
            confirmed=self._options.yes,
        )

    def _run_pulumi(self, *arguments: str) -> int:
        command = self._stack_command()
        return command.run([*arguments, *self._extra], command.prepare())

    def _run_module(self, name: str, *words: str) -> None:
        """Go on as that module in the program's Python, which has the Docker SDK."""
        set_up(self._project, self._console)
        arguments = ["-m", name, *words, "--stack", self._options.stack]
        python = str(self._project.python)
        os.chdir(self._project.root)
        os.execv(python, [python, *arguments, *self._extra])


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    project = Project()
    console = Console(columns=shutil.get_terminal_size().columns)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parse(arguments)
    run: Callable[[], int | None] = getattr(Commands(project, console, options), options.command)
    try:
        return run() or 0
    except (CommandError, SetupError) as error:
        console.say(str(error))
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        console.say("stopped; the next run goes on from here")
        return 130


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    names = [name for name in vars(Commands) if not name.startswith("_")]
    parser = argparse.ArgumentParser(prog="make")
    parser.add_argument("command", choices=names, type=lambda name: name.replace("-", "_"))
    parser.add_argument("--stack", default="dev")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options, options.extra = parser.parse_known_args(arguments)
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
