"""The terminal: tables, mistakes in place of tracebacks, and a command that has it to itself."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from infra.errors import UserError

_ENDING = (signal.SIGTERM, signal.SIGHUP)
"""The second is what a terminal that is closed sends."""
_COLOUR_MARK = re.compile(rb"<\{%[^%]*%\}>")
# A resource in Pulumi's display, such as `    ~ docker:index/volume:Volume: (refresh)`.
_RESOURCE = re.compile(rb"( *)\S* *[\w-]+:[\w/-]*:\w+: \((\w+)")


def is_on_terminal() -> bool:
    """Whether somebody types the input and reads the output."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def run_reporting(work: Callable[[], int], *, interrupted: str = "") -> int:
    """The exit code of `work`; a mistake of the user's is printed and gives 1."""
    _on_ending(signal.default_int_handler)
    try:
        code = work()
        sys.stdout.flush()
    except UserError as error:
        return _report(str(error))
    except BrokenPipeError:  # the reader, `head` for one, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        return _report(f"{error.filename}: should be usable (got: {error.strerror}).")
    except KeyboardInterrupt:
        if interrupted:
            print(interrupted, file=sys.stderr)
        return 130
    return code


def _on_ending(handle: Callable[[int, FrameType | None], object]) -> None:
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, handle)


def _report(mistake: str) -> int:
    sys.stdout.flush()
    print(mistake, file=sys.stderr)
    return 1


def show_time(stamp: str) -> str:
    """A time as RFC 3339 writes it, to the second and without its zone."""
    return stamp[: len("2026-11-25T06:00:00")]


def print_table(*rows: Sequence[str]) -> None:
    """Print rows of cells below each other, the first as the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def run_in_front(
    command: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    interactive: bool,
    stdout: TextIO | None = None,
    ending: signal.Signals = signal.SIGINT,
) -> int:
    """Run a command to its end, however often it is interrupted; its exit code.

    The terminal sends Ctrl-C to both processes; what else ends this one is passed on as `ending`.
    Unless `interactive`, the output passes through here, shortened as Pulumi's.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING)}
    output = stdout if interactive else subprocess.PIPE
    child: subprocess.Popen[bytes] | None = None
    is_early = False

    def pass_on(number: int, frame: FrameType | None) -> None:
        nonlocal is_early
        if child is None:
            is_early = True
        else:
            child.send_signal(ending)

    try:
        # Before the command starts: else what comes at that moment would end this process alone.
        _on_ending(pass_on)
        with subprocess.Popen(command, cwd=cwd, env=dict(environ), stdout=output) as child:
            if is_early:
                child.send_signal(ending)
            signal.signal(signal.SIGINT, lambda number, frame: None)
            for line in shorten(child.stdout or ()):
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
            return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def shorten(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Pulumi's display without its own colour marks, and without what a refresh learned.

    Each value that the engine has filled in since the last run, such as an address, would be shown,
    in hundreds of lines; what a refresh finds changed by hand is in the plan that follows.
    """
    hidden_indent = -1
    for line in lines:
        resource = _RESOURCE.match(line)
        if resource is not None:
            hidden_indent = len(resource[1]) if resource[2] == b"refresh" else -1
        elif len(line) - len(line.lstrip(b" ")) <= hidden_indent:
            hidden_indent = -1
        if hidden_indent < 0:
            yield _COLOUR_MARK.sub(b"", line)
