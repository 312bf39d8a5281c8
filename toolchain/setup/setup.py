"""The whole set-up: find what is there, make what is not."""

import shutil
import time
from collections.abc import Callable, Sequence

from infra.errors import UserError
from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step, run_steps
from toolchain.setup.steps.base_images import BaseImages
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.pulumi import LanguageHost, PulumiCli
from toolchain.setup.steps.python_environment import ProgramEnvironment


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
    project.places.state.mkdir(parents=True, exist_ok=True)
    project.places.data.chmod(0o700)
    started = time.monotonic()
    steps = list_steps(project, engine=engine)
    if all(step.find() for step in steps) and not project.places.go.exists():
        console.say(f"set-up: ready ({time.monotonic() - started:.1f} s)")
    else:
        run_steps(steps, project, console)
        shutil.rmtree(project.places.go, ignore_errors=True)
        console.say(f"set-up: done in {time.monotonic() - started:.1f} s")
    return describe_environment(project)


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
