"""`python3 -m toolchain.setup`: makes the machine ready for `pulumi up`."""

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence

from toolchain.setup.console import Console
from toolchain.setup.environment import render_exports
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.setup import forget_detected, set_up
from toolchain.setup.user_namespaces import OPTION

_DESCRIPTION = """\
Makes this machine ready for `pulumi up`. Each part is taken from where it can be had: what is
already there, else the official download if it answers within seconds, else built from package
mirrors. Done parts are skipped; an interrupted run goes on where it was.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the set-up; 0 if the machine is ready."""
    options = _parse(arguments)
    project = Project()
    console = Console(columns=shutil.get_terminal_size().columns)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.redetect:
            forget_detected(project)
        exported = set_up(project, console, userns_remap=options.userns_remap)
    except SetupError as error:
        console.say(str(error))
        return 1
    except OSError as error:
        console.say(f"set-up: {error.filename}: should be usable (got: {error.strerror}).")
        return 1
    except KeyboardInterrupt:
        console.say("set-up: stopped; the next run goes on from here")
        return 130
    if options.environment:
        print(render_exports(exported), end="")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.setup", description=_DESCRIPTION)
    parser.add_argument(
        "--environment",
        action="store_true",
        help="print shell lines that export what `pulumi` needs; `activate` evaluates them",
    )
    parser.add_argument(
        "--redetect",
        action="store_true",
        help="try the official docker plugin and image registry again",
    )
    parser.add_argument(
        OPTION,
        action="store_true",
        help="a Docker engine that is installed now gets user namespaces",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
