"""Physical names and ownership labels: the only place that knows how they are made."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PROJECT = "devportal"
BUILD_LOGS = ".build-logs"
"""Folder of the clone with the builder's output, `<stack>-<role>.log`; builds append to it."""
CONTAINER = "docker:index/container:Container"
SERVICE = "docker:index/service:Service"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
"""Types of the docker provider, as plans and states name them."""
STACK_LABEL = "devportal.stack"
ROLE_LABEL = "devportal.role"
SPEC_LABEL = "devportal.spec"
TASK_LABEL = "com.docker.swarm.task.id"
"""Swarm's own, on the container of a service's task."""
HELPER_LABEL = "devportal.helper"
"""On containers that lend their mounts, and are no part of a stack."""
OWNER_LABEL = "devportal.helper.owner"
"""`<process>@<host>` that removes such a container, unless it is killed."""
# What a repository of images may be called, and a label of a host name may be long.
_STACK_NAME = re.compile("(?=.{1,31}$)[a-z0-9]+([-_][a-z0-9]+)*")


def stack_name_mistake(name: str) -> str | None:
    """What is wrong with a stack's name, which is part of the names of its images and containers.

    It needs the standard library alone: the commands that run before the set-up ask it too.
    """
    if _STACK_NAME.fullmatch(name):
        return None
    return (
        "stack name: should be 1 to 31 lower-case letters and digits, with single '-' or '_' "
        f"between them (got '{name}'). Choose another name."
    )


def container_labels(stack: str, role: str | None = None, *, of_tasks: bool = False) -> list[str]:
    """What the engine selects a stack's own containers by, or those of its services' tasks.

    Its images have the first two as well, and a container that somebody runs from one inherits
    them; none but the stack's has a specification, or is a task.
    """
    chosen = [f"{STACK_LABEL}={stack}", TASK_LABEL if of_tasks else SPEC_LABEL]
    return [*chosen, f"{ROLE_LABEL}={role}"] if role else chosen


def find_label(labels: Iterable[Mapping[str, str]] | None, name: str) -> str | None:
    """One of the labels as the docker provider lists them; in a plan no other has to be known."""
    return next((entry["value"] for entry in labels or () if entry["label"] == name), None)


@dataclass(frozen=True)
class Naming:
    """Names of one stack's objects on the engine, so that stacks never share one."""

    stack: str

    def physical(self, role: str) -> str:
        """`devportal-<stack>-<role>`."""
        return f"{PROJECT}-{self.stack}-{role}"

    def labels(self, role: str) -> dict[str, str]:
        """Labels by which everything of this stack, and nothing else, is selected."""
        return {STACK_LABEL: self.stack, ROLE_LABEL: role}

    def label_list(self, role: str, more: Mapping[str, Any] | None = None) -> list[Any]:
        """These and `more` as the docker provider takes them.

        It has a type of its own, of one shape, for the labels of each kind of object.
        """
        named = {**self.labels(role), **(more or {})}
        return [{"label": name, "value": value} for name, value in named.items()]
