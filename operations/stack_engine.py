"""The engine that the program puts a stack on, for the targets; in the program's Python."""

import argparse
import sys

from infra.engine.address import EngineAddress, resolve_engine
from operations.doctor import print_findings
from operations.stack import Stack, run_on_stack
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.setup import set_up

_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")


def engine_address(stack: Stack) -> EngineAddress:
    """Where the program's docker provider, and so each target, finds the stack's engine."""
    named = {key: str(v) for key, v in stack.config.items() if key.startswith("docker:")}
    return resolve_engine(named, stack.environ)


def engine_environ(stack: Stack) -> dict[str, str]:
    """The environment in which the command `docker` acts on the stack's engine."""
    address = engine_address(stack)
    kept = {name: value for name, value in stack.environ.items() if name not in _VARIABLES}
    if address.cert_path:
        kept |= {"DOCKER_CERT_PATH": address.cert_path, "DOCKER_TLS_VERIFY": "1"}
    return {**kept, "DOCKER_HOST": address.host}


def prepare_engine(stack: Stack) -> None:
    """Make the base images on the stack's engine, where it is not the environment's."""
    set_up(Project(stack.root, engine_environ(stack)), Console())


def main(stack: Stack, options: argparse.Namespace) -> int:
    """`make doctor`, about the stack's engine."""
    return print_findings(Project(stack.root, engine_environ(stack)))


if __name__ == "__main__":
    sys.exit(run_on_stack(main))
