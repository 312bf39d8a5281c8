"""Check: every mistake is named with its path, before anything is touched."""

from typing import Any

import pytest

from plugins.docker.registry import find_resource
from plugins.docker.resource import Checked, CheckRequest
from plugins.docker.values import UNKNOWN
from tests.support.provider_client import CONTAINER, VOLUME

UPLOAD = {"file": "/x", "content": "x"}


def check(token: str, old: dict[str, Any] | None = None, /, **inputs: Any) -> Checked:
    request = CheckRequest(name="web", old_inputs=old, inputs=inputs)
    return find_resource(token).check(request)


def failures(token: str, /, **inputs: Any) -> dict[str, str]:
    return {failure.path: failure.reason for failure in check(token, **inputs).failures}


def container_failures(**inputs: Any) -> dict[str, str]:
    return failures(CONTAINER, **{"image": "shop:1", **inputs})


def test_unknown_property_is_named_with_the_nearest_known_one() -> None:
    assert container_failures(memmory=5) == {
        "memmory": "is not a property here. Did you mean memory?"
    }


def test_unknown_nested_property_is_named_with_its_path() -> None:
    assert container_failures(healthcheck={"intervall": "1s"}) == {
        "healthcheck.intervall": "is not a property here. Did you mean interval?"
    }


def test_unknown_property_in_a_list_is_named_with_its_index() -> None:
    assert container_failures(ports=[{"internal": 80}, {"internal": 81, "extern": 1}]) == {
        "ports[1].extern": "is not a property here. Did you mean external?"
    }


def test_unknown_property_with_no_near_one_lists_the_known() -> None:
    assert failures(VOLUME, zzz=1) == {
        "zzz": "is not a property here. Known: cluster, driver, driverOpts, labels, name."
    }


def test_missing_required_property_is_named() -> None:
    assert failures(CONTAINER) == {"image": "should be given"}


def test_missing_nested_required_property_is_named() -> None:
    assert container_failures(ulimits=[{"name": "nofile", "soft": 1}]) == {
        "ulimits[0].hard": "should be given"
    }


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"memory": "much"}, "memory", "should be a whole number (got a string)"),
        ({"memory": 1.5}, "memory", "should be a whole number (got a number)"),
        ({"readOnly": "yes"}, "readOnly", "should be true or false (got a string)"),
        ({"image": ["a"]}, "image", "should be a string (got a list)"),
        ({"command": "sh"}, "command", "should be a list (got a string)"),
        ({"envs": [{}]}, "envs[0]", "should be a string (got a map)"),
        ({"logOpts": ["a"]}, "logOpts", "should be a map (got a list)"),
        ({"healthcheck": "CMD"}, "healthcheck", "should be an object (got a string)"),
        ({"logOpts": {"max-size": []}}, "logOpts.max-size", "should be a string (got a list)"),
        ({"tmpfs": {"/tmp": []}}, 'tmpfs["/tmp"]', "should be a string (got a list)"),
    ],
)
def test_wrong_type_is_named_with_its_path(given: dict[str, Any], path: str, reason: str) -> None:
    assert container_failures(**given) == {path: reason}


def test_all_mistakes_are_found_at_once() -> None:
    found = container_failures(memmory=1, memory="x", ports=[{}])
    assert list(found) == ["memmory", "memory", "ports[0].internal"]


def test_text_that_says_a_number_or_a_truth_value_is_taken_as_such() -> None:
    inputs = check(CONTAINER, image="a", memory="64", readOnly="true", envs=[1, True]).inputs
    assert (inputs["memory"], inputs["readOnly"], inputs["envs"]) == (64, True, ["1", "true"])


def test_unknown_values_pass_every_rule() -> None:
    names = [name for name in find_resource(CONTAINER).fields if name != "image"]
    assert container_failures(**dict.fromkeys(names, UNKNOWN)) == {}


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        (
            {"restart": "sometimes"},
            "restart",
            "should be one of no, on-failure, always, unless-stopped",
        ),
        (
            {"name": "a b"},
            "name",
            "should be letters, digits, '_', '.' and '-', at least two of them",
        ),
        ({"cpus": "many"}, "cpus", "should be a number such as 0.5"),
        ({"cpus": "-1"}, "cpus", "should be above 0"),
        ({"memory": -1}, "memory", "should not be negative (got -1)"),
        ({"waitTimeout": -5}, "waitTimeout", "should not be negative (got -5)"),
        ({"memorySwap": -2}, "memorySwap", "should be -1 (no limit) or more (got -2)"),
        (
            {"memory": 64, "memorySwap": 32},
            "memorySwap",
            "should be at least memory, as it includes it (got 32 < 64)",
        ),
        (
            {"healthcheck": {"interval": "soon"}},
            "healthcheck.interval",
            "should be a duration such as 500ms, 10s or 1m30s",
        ),
        (
            {"healthcheck": {"retries": -1}},
            "healthcheck.retries",
            "should not be negative (got -1)",
        ),
        ({"command": ["sh", ""]}, "command[1]", "should not be empty"),
        (
            {"ports": [{"internal": 80, "external": 70000}]},
            "ports[0].external",
            "should be from 0 to 65535 (got 70000)",
        ),
        (
            {"ports": [{"internal": 80, "protocol": "http"}]},
            "ports[0].protocol",
            "should be one of tcp, udp, sctp",
        ),
        (
            {"mounts": [{"type": "bind", "target": "/x"}]},
            "mounts[0].source",
            "should be given for a bind mount",
        ),
        (
            {"mounts": [{"type": "nfs", "target": "/x"}]},
            "mounts[0].type",
            "should be one of bind, volume, tmpfs",
        ),
        (
            {"volumes": [{"volumeName": "x"}]},
            "volumes[0]",
            "should have containerPath or fromContainer, one of them",
        ),
        (
            {"volumes": [{"containerPath": "/x", "fromContainer": "y"}]},
            "volumes[0]",
            "should have containerPath or fromContainer, not both",
        ),
        (
            {"uploads": [{"file": "/x"}]},
            "uploads[0]",
            "should have content, contentBase64 or source, one of them",
        ),
        (
            {"uploads": [{**UPLOAD, "source": "y"}]},
            "uploads[0]",
            "should have content, contentBase64 or source, only one of them",
        ),
        (
            {"uploads": [{**UPLOAD, "permissions": "rw"}]},
            "uploads[0].permissions",
            "should be four octal digits such as 0644",
        ),
        (
            {"uploads": [{"file": "/x", "contentBase64": "%"}]},
            "uploads[0].contentBase64",
            "should be base64",
        ),
        (
            {"uploads": [UPLOAD], "readOnly": True},
            "uploads",
            "should not be given together with readOnly: the engine refuses to write to the "
            "root of such a container. Put the files into an image or a volume.",
        ),
        (
            {"wait": True, "healthcheck": {"tests": ["NONE"]}},
            "wait",
            "should not be given while healthcheck.tests is NONE",
        ),
        ({"gpus": "some"}, "gpus", "should be all, a number, or device=<id[,id...]>"),
    ],
)
def test_container_rule(given: dict[str, Any], path: str, reason: str) -> None:
    assert container_failures(**given) == {path: reason}


def test_defaults_are_filled_in_and_noted() -> None:
    inputs = check(CONTAINER, image="a", ports=[{"internal": 80}]).inputs
    assert inputs["restart"] == "no"
    assert inputs["mustRun"] is True
    assert inputs["ports"] == [{"ip": "0.0.0.0", "protocol": "tcp", "internal": 80}]
    assert inputs["__defaults"] == [
        "containerReadRefreshTimeoutMilliseconds",
        "mustRun",
        "name",
        "networkMode",
        "removeVolumes",
        "restart",
        "start",
        "waitTimeout",
    ]


def test_given_values_are_not_noted_as_defaults() -> None:
    assert check(VOLUME, name="data").inputs == {"name": "data", "__defaults": []}


def test_unsupported_property_is_refused() -> None:
    assert failures(VOLUME, cluster={"scope": "multi"}) == {
        "cluster": "is not supported by this provider. "
        "Swarm's cluster volumes need the official docker provider."
    }
