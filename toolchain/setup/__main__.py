"""`python3 -m toolchain.setup`: makes the machine ready for `pulumi up`."""

import argparse
import shutil
import signal
import sys

from toolchain.setup.console import Console, report_mistakes
from toolchain.setup.environment import render_exports
from toolchain.setup.project import Project
from toolchain.setup.setup import forget_detected, set_up

_DESCRIPTION = """\
Makes this machine ready for `pulumi up`. Each part is taken from where it is available: what is
already there, else the official download if it answers within seconds, else built from package
mirrors. Done parts are skipped; an interrupted run goes on where it was.
"""


def run(options: argparse.Namespace, console: Console) -> None:
    """Run the set-up."""
    project = Project()
    if options.redetect:
        forget_detected(project)
    exported = set_up(project, console, userns_remap=options.userns_remap)
    if options.environment:
        print(render_exports(exported), end="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.setup", description=_DESCRIPTION)
    for name, text in (
        ("--environment", "print shell lines that export what `pulumi` needs, for `activate`"),
        ("--redetect", "try the official docker plugin and image registry again"),
        ("--userns-remap", "a Docker engine that is installed now gets user namespaces"),
    ):
        parser.add_argument(name, action="store_true", help=text)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Console(columns=shutil.get_terminal_size().columns)
    sys.exit(report_mistakes(screen, lambda: run(chosen, screen)))
