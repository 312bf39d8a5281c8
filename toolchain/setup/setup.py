"""The whole set-up: find what is there, make what is not."""

import shutil
import time
from collections.abc import Callable, Sequence

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment
from toolchain.setup.ownership import for_owner_of_home
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step, hold_lock, run_steps
from toolchain.setup.steps.base_images import BaseImages
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.pulumi import LanguageHost, PulumiCli
from toolchain.setup.steps.python_environment import ProgramEnvironment

KEEP_GO_CACHE = "DEVPORTAL_KEEP_GO_CACHE"
"""Variable with which the cache of Go, several gigabytes, stays for `make check`."""


def list_steps(project: Project, *, engine: bool = True) -> list[Step]:
    """Every part, each behind those it comes after; without `engine`, those that need none."""
    steps: list[Step] = [
        PulumiCli(project),
        LanguageHost(project),
        DockerProvider(project),
        ProgramEnvironment(project),
    ]
    if engine:
        steps += [DockerEngine(project), BaseImages(project)]
    return steps


def set_up(project: Project, console: Console, *, engine: bool = True) -> dict[str, str]:
    """Make everything `pulumi` needs; the variables with which it runs.

    Without `engine`, none is looked at. Raises UserError when this machine does not allow a part.
    """
    places, started = project.places, time.monotonic()
    steps = list_steps(project, engine=engine)
    keeps_cache = KEEP_GO_CACHE in project.environ
    has_cache = places.go.exists() and not keeps_cache
    if places.state.is_dir() and all(step.find() for step in steps) and not has_cache:
        console.say(f"set-up: ready ({time.monotonic() - started:.1f} s)")
    else:
        with for_owner_of_home(places):
            places.state.mkdir(parents=True, exist_ok=True)
            places.data.chmod(0o700)
            run_steps(steps, project, console)
            if not keeps_cache:
                shutil.rmtree(places.go, ignore_errors=True)
        console.say(f"set-up: done in {time.monotonic() - started:.1f} s")
    return describe_environment(project)


def clean_cache(project: Project, console: Console) -> None:
    """Delete what any set-up of this user has made; UserError with what cannot be."""
    cache, lock, left = project.places.cache, project.places.lock, []
    with for_owner_of_home(project.places), hold_lock(lock, console):
        # Not the lock itself: who waits for it would run beside one that makes it anew.
        for path in sorted({*cache.iterdir()} - {lock}):
            try:
                is_folder = path.is_dir() and not path.is_symlink()
                shutil.rmtree(path) if is_folder else path.unlink()
            except OSError as error:
                left.append(f"{path}: {error.strerror}")
    if left:
        raise UserError(
            f"cache: everything in {cache} should be removable (got {'; '.join(left)}). "
            "Remove that, as root if need be, and run this again."
        )


def ready_environment(
    project: Project, needed: Sequence[Callable[[Project], Step]]
) -> dict[str, str]:
    """The variables with which a target runs that makes nothing itself.

    Raises UserError when one of the parts that it needs is not there.
    """
    for step in (part(project) for part in needed):
        if not step.find():
            raise UserError(
                f"{step.name}: should be there (got nothing). Run `make up` first, or `make setup`."
            )
    return describe_environment(project)
