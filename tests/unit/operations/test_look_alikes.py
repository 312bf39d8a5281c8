"""What was put by hand under the names of the stack's own makes room for it, or is refused."""

from typing import Any
from unittest.mock import MagicMock, call

import pytest
from docker.errors import ImageNotFound

from infra.naming import CONTAINER, IMAGE, NETWORK
from operations.look_alikes import put_back
from operations.stack import Stack
from tests.support.refusals import refusal

FROM_AN_IMAGE = {"devportal.stack": "dev"}
OWN = {**FROM_AN_IMAGE, "devportal.spec": "1"}


def known(kind: str, id_: str, name: str, **outputs: Any) -> dict[str, Any]:
    return {"type": kind, "urn": "urn", "id": id_, "outputs": {"name": name, **outputs}}


RESOURCES = [
    known(CONTAINER, "c-1", "devportal-dev-redis"),
    # What a later version has taken the place of may go by a name that is another's by now.
    {**known(CONTAINER, "c-0", "devportal-dev-old"), "delete": True},
    known(NETWORK, "n-1", "devportal-dev-network"),
    known(IMAGE, "i-1x", "devportal-dev-app:1.2", imageId="i-1", build={"context": "."}),
    known(IMAGE, "i-2x", "registry:5000/portal:2", imageId="i-2"),
]
"""One of each kind, and on the engine as well."""


@pytest.fixture(autouse=True)
def there(engine: MagicMock) -> None:
    engine.images.get.return_value.id = "i-1"
    answer(engine, "c-1", "n-1")


def answer(engine: MagicMock, container: str, network: str, **labels: str) -> None:
    others = {"Id": "c-9", "Names": ["/theirs", "/devportal-dev-old"], "Labels": {}}
    mine = {"Id": container, "Names": ["/devportal-dev-redis"], "Labels": labels}
    engine.api.containers.return_value = [others, mine]
    described = {"Id": network, "Name": "devportal-dev-network", "Labels": labels}
    engine.api.networks.return_value = [described, {"Id": "n-9", "Name": "bridge", "Labels": None}]
    engine.networks.get.return_value.attrs = {"Containers": {"c-1": {}}}


def test_stack_that_has_its_names_is_left_alone(stack: Stack, engine: MagicMock) -> None:
    put_back(stack, RESOURCES, may_remove=True)
    engine.api.remove_container.assert_not_called()
    engine.networks.get.assert_not_called()
    assert engine.images.get.call_args_list == [call("devportal-dev-app:1.2")]


def test_copies_of_the_stacks_own_are_removed(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(engine, "c-2", "n-2", **OWN)
    put_back(stack, RESOURCES, may_remove=True)
    assert engine.api.remove_container.call_args == call("c-2", force=True, v=True)
    assert engine.networks.get.call_args == call("n-2")
    network = engine.networks.get.return_value
    assert network.mock_calls[-2:] == [call.disconnect("c-1", force=True), call.remove()]
    assert capsys.readouterr().out == (
        "removed container devportal-dev-redis, put by hand in place of the stack's own\n"
        "removed network devportal-dev-network, put by hand in place of the stack's own\n"
    )


@pytest.mark.parametrize(("labels", "may_remove"), [({}, True), (OWN, False)])
def test_what_is_anothers_or_needs_a_yes_is_refused_with_the_command(
    stack: Stack, engine: MagicMock, labels: dict[str, str], may_remove: bool
) -> None:
    answer(engine, "c-2", "n-2", **labels)
    assert refusal(put_back, stack, RESOURCES, may_remove=may_remove) == (
        "container 'devportal-dev-redis': should be the stack's own (got another one of that "
        "name). Rename it, or remove it with `docker rm --force --volumes devportal-dev-redis`, "
        "and run this again.\n"
        "network 'devportal-dev-network': should be the stack's own (got another one of that "
        "name). Rename it, or remove it with `docker network rm devportal-dev-network`, and run "
        "this again."
    )
    engine.api.remove_container.assert_not_called()
    network = engine.networks.get.return_value
    network.remove.assert_not_called()


def test_container_from_an_image_of_the_stack_is_somebodys(stack: Stack, engine: MagicMock) -> None:
    answer(engine, "c-2", "n-1", **FROM_AN_IMAGE)
    told = refusal(put_back, stack, RESOURCES, may_remove=True)
    assert told.startswith("container 'devportal-dev-redis': should be the stack's own (got ")
    engine.api.remove_container.assert_not_called()


def test_name_of_an_image_is_given_back_to_what_the_stack_built(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    other, own = MagicMock(id="i-9"), MagicMock(id="i-1")
    engine.images.get.side_effect = [other, own]
    put_back(stack, RESOURCES, may_remove=False)
    assert own.tag.call_args == call("devportal-dev-app", "1.2")
    assert capsys.readouterr().out == (
        "gave the name devportal-dev-app:1.2 back to the stack's own image\n"
    )
    engine.images.get.side_effect = ImageNotFound("gone")
    put_back(stack, RESOURCES, may_remove=False)
    assert capsys.readouterr().out == ""
