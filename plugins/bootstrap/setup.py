"""The whole set-up: find what is there, make what is not."""

import time

from plugins.bootstrap import git_salt
from plugins.bootstrap.console import Console
from plugins.bootstrap.environment import describe_environment
from plugins.bootstrap.lock import hold_lock
from plugins.bootstrap.project import Project
from plugins.bootstrap.schedule import Schedule
from plugins.bootstrap.step import Step
from plugins.bootstrap.steps.base_images import BaseImages
from plugins.bootstrap.steps.docker_engine import DockerEngine
from plugins.bootstrap.steps.docker_provider import DockerProvider
from plugins.bootstrap.steps.pulumi_cli import PulumiCliStep
from plugins.bootstrap.steps.python_environment import PythonEnvironment
from plugins.bootstrap.steps.toolchain import Toolchain
from plugins.bootstrap.steps.workspace import Workspace


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
