"""The engine as our dynamic providers reach it: the same one the docker provider talks to."""

import os

import docker
from docker.context import ContextAPI


def connect(docker_host: str) -> docker.DockerClient:
    """Connect to `docker_host`, else DOCKER_HOST, else the current docker context.

    Raises
    ------
    docker.errors.DockerException
        Raised when nothing answers there.
    """
    if docker_host:
        over_ssh = docker_host.startswith("ssh://")
        return docker.DockerClient(base_url=docker_host, use_ssh_client=over_ssh)
    context = None if os.environ.get("DOCKER_HOST") else ContextAPI.get_current_context()
    if context is not None and context.name != "default":
        return docker.DockerClient(base_url=context.Host)
    return docker.from_env()
