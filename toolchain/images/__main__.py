"""`python3 -m toolchain.images`: builds the base images that are missing; all with `--afresh`."""

import argparse
import sys
import threading

from toolchain.images.builder import ImageBuilder
from toolchain.images.recipes import load_recipes
from toolchain.setup.console import Console, report_mistakes
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.work import Work


def build(project: Project, console: Console, *, afresh: bool) -> None:
    """Build what is missing; all of it with `afresh`."""
    with hold_lock(project.places.lock, console.say) as lock:
        log = project.places.logs / "base-images.log"
        work = Work("base images", console, log, threading.Event(), lock)
        try:
            ImageBuilder(project, work).build(load_recipes(), afresh=afresh)
        finally:
            work.stop.set()
            work.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.images", description=__doc__)
    text = "build them again, with newer packages and mirrors"
    parser.add_argument("--afresh", action="store_true", help=text)
    options = parser.parse_args()
    console = Console()
    sys.exit(report_mistakes(console, lambda: build(Project(), console, afresh=options.afresh)))
