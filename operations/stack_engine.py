"""The engine that the program puts a stack on, for the targets; in the program's Python."""

import argparse
import sys

import docker
from infra.engine.address import EngineAddress, connect, resolve_engine

from infra.errors import UserError
from operations.doctor import print_findings
from operations.reporting import CommandError
from operations.stack import Stack, run_on_stack
from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.setup import set_up

_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")


def connect_to(stack: Stack) -> docker.DockerClient:
    """Connect to the stack's engine.

    Raises CommandError when the settings and the environment name none, or it does not answer.
    """
    try:
        return connect(_address(stack))
    except UserError as error:
        raise CommandError(str(error)) from None


def engine_environ(stack: Stack) -> dict[str, str]:
    """The environment in which the command `docker` acts on the stack's engine."""
    address = _address(stack)
    kept = {name: value for name, value in stack.environ.items() if name not in _VARIABLES}
    if address.cert_path:
        kept |= {"DOCKER_CERT_PATH": address.cert_path, "DOCKER_TLS_VERIFY": "1"}
    return {**kept, "DOCKER_HOST": address.host}


def prepare_engine(stack: Stack) -> None:
    """Make the base images on the stack's engine, where it is not the environment's.

    Raises CommandError when that engine allows no set-up.
    """
    try:
        set_up(Project(stack.root, engine_environ(stack)), Console())
    except SetupError as error:
        raise CommandError(str(error)) from None


def _address(stack: Stack) -> EngineAddress:
    named = {key: str(v) for key, v in stack.config.items() if key.startswith("docker:")}
    try:
        return resolve_engine(named, stack.environ)
    except UserError as error:
        raise CommandError(str(error)) from None


def main(stack: Stack, options: argparse.Namespace) -> int:
    """`make doctor`, about the stack's engine."""
    return print_findings(Project(stack.root, engine_environ(stack)))


if __name__ == "__main__":
    sys.exit(run_on_stack(main))
