"""What targets print: tables, and mistakes in place of tracebacks."""

import os
import signal
import sys
from collections.abc import Callable, Sequence


class CommandError(Exception):
    """A rule that does not hold: `where: rule (got value). What to do.`"""


def run_reporting(work: Callable[[], int], *reported: type[Exception]) -> int:
    """The exit code of `work`; its mistakes are printed, without a traceback.

    Parameters
    ----------
    reported
        Exceptions beside CommandError whose text is meant for the user.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = work()
        sys.stdout.flush()
    except (CommandError, *reported) as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` for one, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def print_table(*rows: Sequence[str]) -> None:
    """Print rows of cells below each other, the first as the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
