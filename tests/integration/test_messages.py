"""What a user reads after a mistake: the place, the rule, what to do, and no traceback."""

import socket
from collections.abc import Iterator

import docker
import pytest
from pulumi import automation

from tests.support.portal_stack import PortalStack


@pytest.fixture
def stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    stack = PortalStack(tmp_path_factory.mktemp("messages"), engine)
    yield stack
    stack.remove()


def failing_up(stack: PortalStack) -> str:
    with pytest.raises(automation.CommandError):
        stack.up()
    text = stack.log.read_text()
    assert "Traceback" not in text
    return text


def test_typo_in_a_setting_changes_nothing(stack: PortalStack) -> None:
    stack.configure(prots={"portal": 8000})
    text = failing_up(stack)
    assert "devportal:prots: should be a known key (got 'prots'). Did you mean 'ports'?" in text
    assert stack.containers() == []


def test_taken_port_is_named(stack: PortalStack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack.configure(ports={**stack.settings["ports"], "portal": port})
        text = failing_up(stack)
    assert f"port 127.0.0.1:{port} should be free" in text


def test_stopped_engine_is_named(stack: PortalStack) -> None:
    variables = dict(stack.stack.workspace.env_vars)
    stack.stack.workspace.env_vars = {**variables, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    text = failing_up(stack)
    stack.stack.workspace.env_vars = variables
    assert "docker engine at unix:///nowhere/docker.sock: should answer" in text


def test_dockerfile_that_does_not_build_shows_its_step(stack: PortalStack) -> None:
    dockerfile = stack.project / "docker" / "redis" / "Dockerfile"
    lines = dockerfile.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("FROM"))
    lines.insert(first + 1, "RUN echo this step breaks >&2; exit 3")
    dockerfile.write_text("\n".join(lines) + "\n")
    text = failing_up(stack)
    assert "this step breaks" in text
    assert "exit code" in text


def test_container_that_exits_at_start_shows_its_last_lines(stack: PortalStack) -> None:
    entrypoint = stack.project / "docker" / "scripts" / "entrypoint.sh"
    entrypoint.write_text("#!/bin/sh\necho 'the portal gives up' >&2\nexit 7\n")
    text = failing_up(stack)
    assert f"devportal-{stack.name}-app" in text
    assert "the portal gives up" in text
