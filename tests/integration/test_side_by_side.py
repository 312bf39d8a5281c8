"""Two development stacks on one engine."""

from collections.abc import Iterator

import docker
import httpx
import pytest

from tests.support.portal_stack import PortalStack


@pytest.fixture(scope="module")
def second_stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    stack = PortalStack(tmp_path_factory.mktemp("second"), engine)
    stack.up()
    yield stack
    stack.remove()


def test_two_stacks_answer_at_once(running_stack: PortalStack, second_stack: PortalStack) -> None:
    urls = {running_stack.output("health_url"), second_stack.output("health_url")}
    assert len(urls) == 2
    assert {httpx.get(url).status_code for url in urls} == {200}


def test_destroying_one_leaves_the_other_alone(
    running_stack: PortalStack, second_stack: PortalStack
) -> None:
    second_stack.destroy()
    assert second_stack.containers() == []
    assert len(running_stack.containers()) == 5
    assert httpx.get(running_stack.output("health_url")).status_code == 200
