"""What targets print: tables, and mistakes in place of tracebacks."""

import os
import signal
import sys
from collections.abc import Callable, Sequence

from infra.errors import UserError


def run_reporting(
    work: Callable[[], int], *reported: type[Exception], interrupted: str = ""
) -> int:
    """The exit code of `work`; a UserError, or one of `reported`, is printed and gives 1."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = work()
        sys.stdout.flush()
    except (UserError, *reported) as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` for one, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        if interrupted:
            print(interrupted, file=sys.stderr)
        return 130
    return code


def print_table(*rows: Sequence[str]) -> None:
    """Print rows of cells below each other, the first as the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
