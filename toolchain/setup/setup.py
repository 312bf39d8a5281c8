"""The whole set-up: find what is there, make what is not."""

import time

from toolchain.setup import git_salt
from toolchain.setup.console import Console
from toolchain.setup.environment import describe_environment
from toolchain.setup.lock import hold_lock
from toolchain.setup.project import Project
from toolchain.setup.schedule import Schedule
from toolchain.setup.step import Step
from toolchain.setup.steps.base_images import BaseImages
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.pulumi_cli import PulumiCliStep
from toolchain.setup.steps.python_environment import PythonEnvironment
from toolchain.setup.steps.toolchain import Toolchain
from toolchain.setup.steps.workspace import Workspace


def list_steps(project: Project, *, userns_remap: bool = False) -> list[Step]:
    """Every part, in the order in which the parts are told."""
    return [
        Workspace(project),
        PulumiCliStep(project),
        PythonEnvironment(project),
        DockerEngine(project, userns_remap),
        Toolchain(project),
        DockerProvider(project),
        BaseImages(project),
    ]


def set_up(project: Project, console: Console, *, userns_remap: bool = False) -> dict[str, str]:
    """Make everything `pulumi` needs; the variables with which it runs.

    Parameters
    ----------
    userns_remap
        An engine that is installed now maps users; one that is there and does not is refused.

    Raises
    ------
    SetupError
        Raised when a part cannot be had on this machine.
    """
    started = time.monotonic()
    steps = list_steps(project, userns_remap=userns_remap)
    if all(step.find() is not None for step in steps):
        console.say(f"set-up: ready ({time.monotonic() - started:.1f} s)")
    else:
        with hold_lock(project.places.lock, console.say) as lock:
            Schedule(steps, console, project.places.logs, lock).run()
        console.say(f"set-up: done in {time.monotonic() - started:.1f} s")
    if git_salt.is_clone(project.root):
        git_salt.settle(project.root)
    return describe_environment(project)


def forget_detected(project: Project) -> None:
    """Forget what was found unreachable, so that the official ways are tried again."""
    project.places.image_source.unlink(missing_ok=True)
    DockerProvider(project).forget_own()
