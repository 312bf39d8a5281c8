"""Names for resources whose program gives none."""

from typing import Any

import pytest

from plugins.docker.autoname import AutoNaming, AutoNamingMode
from plugins.docker.registry import find_resource
from plugins.docker.resource import Checked, CheckRequest
from tests.support.provider_client import CONTAINER, NETWORK, VOLUME


def check(token: str, old: dict[str, Any] | None = None, /, **inputs: Any) -> Checked:
    request = CheckRequest(name="web", old_inputs=old, inputs=inputs)
    return find_resource(token).check(request)


@pytest.mark.parametrize("token", [NETWORK, VOLUME, CONTAINER])
def test_missing_name_is_made_of_the_logical_name_and_seven_digits(token: str) -> None:
    inputs = check(token, image="a").inputs if token == CONTAINER else check(token).inputs
    logical, _, digits = inputs["name"].rpartition("-")
    assert logical == "web"
    assert len(digits) == 7
    assert set(digits) <= set("0123456789abcdef")


def test_automatic_name_stays_until_the_replacement() -> None:
    first = check(NETWORK).inputs
    assert check(NETWORK, first).inputs["name"] == first["name"]
    assert check(NETWORK, None).inputs["name"] != first["name"]


def test_automatic_name_follows_the_seed_of_a_saved_plan() -> None:
    naming = AutoNaming(seed=b"plan")
    names = [naming.fill("web", None, {})[0]["name"] for _ in range(2)]
    assert names[0] == names[1]


def test_given_name_that_is_taken_out_of_the_program_becomes_automatic() -> None:
    given = check(NETWORK, name="shop").inputs
    assert check(NETWORK, given).inputs["name"].startswith("web-")


@pytest.mark.parametrize("mode", [AutoNamingMode.PROPOSE, AutoNamingMode.ENFORCE])
def test_name_proposed_by_pulumis_setting_is_taken(mode: AutoNamingMode) -> None:
    inputs, found = AutoNaming(mode, "shop-dev-web").fill("web", None, {})
    assert (inputs["name"], found) == ("shop-dev-web", [])


def test_disabled_autonaming_asks_for_a_name() -> None:
    _, found = AutoNaming(AutoNamingMode.DISABLE).fill("web", None, {})
    assert [(failure.path, failure.reason) for failure in found] == [
        ("name", "should be given, because pulumi:autonaming is disabled")
    ]
