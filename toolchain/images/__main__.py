"""`python3 -m toolchain.images`: builds and lists the stand-ins for the official base images."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from toolchain.setup.engine_address import find_engine
from toolchain.setup.errors import SetupError
from toolchain.setup.lock import hold_lock
from toolchain.images.builder import Builder
from toolchain.images.engine import Engine, HttpEngine
from toolchain.images.errors import ImagesError
from toolchain.images.recipes import COMMON_LAYER, COMMON_ROLE, Recipe, choose_recipes, load_recipes

_DESCRIPTION = """\
Stand-ins for the official base images, for machines that reach package mirrors and no image
registry. Each obeys the contract of the image it stands for, under a name of its own.
"""


_STEP_COLUMNS = 100


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 if every image asked for is there."""
    options = _parse(arguments)
    try:
        recipes = choose_recipes(load_recipes(), options.roles)
        engine = HttpEngine(find_engine(os.environ))
        if options.command == "status":
            return _show_status(engine, recipes)
        _build(engine, recipes, options)
    except (ImagesError, SetupError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("images: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def _build(engine: Engine, recipes: list[Recipe], options: argparse.Namespace) -> None:
    work = _work_folder()
    with hold_lock(work.with_suffix(".lock"), _say) as lock:
        builder = Builder(engine, work, lock, _say, _say if options.verbose else _show_step)
        builder.build(recipes, afresh=options.afresh)


def _show_status(engine: Engine, recipes: list[Recipe]) -> int:
    missing = 0
    rows = [(COMMON_ROLE, COMMON_LAYER), *((recipe.role, recipe.name) for recipe in recipes)]
    for role, name in rows:
        size_bytes = engine.image_size_bytes(name)
        missing += size_bytes is None and role != COMMON_ROLE
        state = "missing" if size_bytes is None else f"{size_bytes / 1e6:.0f} MB"
        _say(f"{role:16} {name:40} {state}")
    return 1 if missing else 0


def _work_folder() -> Path:
    home = Path(os.environ.get("HOME") or os.path.expanduser("~"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return cache / "devportal" / "base-images"


def _say(line: str) -> None:
    # In one piece: builds that run side by side speak at the same time.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _show_step(line: str) -> None:
    if "| Step " in line:
        _say(line[:_STEP_COLUMNS])


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.images", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build what is missing")
    build.add_argument(
        "--afresh", action="store_true", help="build again, with newer packages and mirrors"
    )
    build.add_argument("--verbose", action="store_true", help="show all output of the build steps")
    status = commands.add_parser("status", help="list the images; fails if one is missing")
    for command in (build, status):
        command.add_argument("roles", nargs="*", metavar="ROLE", help="only these; default all")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
