"""The whole set-up: find what is there, make what is not."""

import shutil
import time

from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment
from toolchain.setup.errors import SetupError
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step, run_steps
from toolchain.setup.steps.base_images import BaseImages
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.pulumi import LanguageHost, PulumiCli
from toolchain.setup.steps.python_environment import PythonEnvironment


def list_steps(project: Project, *, engine: bool = True, userns_remap: bool = False) -> list[Step]:
    """Every part, each behind those it comes after; without `engine`, those that need none."""
    steps: list[Step] = [
        PulumiCli(project),
        LanguageHost(project),
        DockerProvider(project),
        PythonEnvironment(project),
    ]
    if engine:
        steps += [DockerEngine(project, userns_remap=userns_remap), BaseImages(project)]
    return steps


def set_up(
    project: Project, console: Console, *, engine: bool = True, userns_remap: bool = False
) -> dict[str, str]:
    """Make everything `pulumi` needs; the variables with which it runs.

    With `userns_remap` an engine that is installed now maps users; any other is refused. Without
    `engine`, none is looked at. Raises SetupError when this machine does not allow a part.
    """
    project.places.state.mkdir(parents=True, exist_ok=True)
    project.places.data.chmod(0o700)
    started = time.monotonic()
    steps = list_steps(project, engine=engine, userns_remap=userns_remap)
    if all(step.find() for step in steps) and not project.places.go.exists():
        console.say(f"set-up: ready ({time.monotonic() - started:.1f} s)")
    else:
        with hold_lock(project.places.lock, console.say) as lock:
            run_steps(steps, console, project.places.logs, lock)
            shutil.rmtree(project.places.go, ignore_errors=True)
        console.say(f"set-up: done in {time.monotonic() - started:.1f} s")
    return describe_environment(project)


def ready_environment(project: Project, *, engine: bool = True) -> dict[str, str]:
    """The variables with which `pulumi` runs; makes nothing, but raises SetupError."""
    for step in list_steps(project, engine=engine):
        if not step.find():
            raise SetupError(
                f"{step.name}: should be there (got nothing). Run `make up` first, or `make setup`."
            )
    return describe_environment(project)


def forget_detected(project: Project) -> None:
    """Forget what was found unreachable, so that the official ways are tried again."""
    project.places.image_source.unlink(missing_ok=True)
    DockerProvider(project).forget_built()
