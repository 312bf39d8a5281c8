"""What a change of each container property does, over the whole table."""

from typing import Any

import pytest

from plugins.docker.diff import Diff
from plugins.docker.registry import find_resource
from plugins.docker.resource import CheckRequest, DiffRequest
from plugins.docker.resources.container.fields import FIELDS
from plugins.docker.schema import object_schema, resource_schema
from plugins.docker.values import UNKNOWN, Values
from tests.support.provider_client import CONTAINER

CONTAINER_RESOURCE = find_resource(CONTAINER)
# Carried out on the running container, or settings of how Pulumi handles it.
UPDATED = {
    "restart",
    "maxRetryCount",
    "cpuShares",
    "cpuSet",
    "memory",
    "memoryReservation",
    "memorySwap",
    "mustRun",
    "start",
    "wait",
    "waitTimeout",
    "attach",
    "logs",
    "removeVolumes",
    "destroyGraceSeconds",
    "containerReadRefreshTimeoutMilliseconds",
}
# The engine chooses a value when the program does not, so taking it out changes nothing.
STICKY = {
    "hostname",
    "command",
    "entrypoints",
    "envs",
    "labels",
    "securityOpts",
    "runtime",
    "platform",
    "stopSignal",
    "stopTimeout",
    "shmSize",
    "logDriver",
    "ipcMode",
    "healthcheck",
    "init",
    "user",
    "workingDir",
}
# The engine can set these on a running container, but not take them away again.
REPLACED_ON_REMOVAL = {"memory", "memoryReservation", "memorySwap", "cpuShares", "cpuSet"}
DEFAULTED_TO_SAMPLE = {"mustRun", "start", "removeVolumes"}
TEXTS = {"cpus": ("0.5", "1"), "gpus": ("all", "device=0")}
TIMES = {"interval", "timeout", "startPeriod", "startInterval"}


def sample(name: str, spec: Any, choice: int) -> Any:
    """One of two values that fit the type."""
    if "$ref" in spec:
        members = object_schema(spec["$ref"]).properties
        return {key: sample(key, inner, choice) for key, inner in members.items()}
    if spec["type"] == "array":
        return [sample(name, spec["items"], choice)]
    if spec["type"] == "object":
        return {"key": sample(name, spec["additionalProperties"], choice)}
    if spec["type"] == "boolean":
        return choice == 0
    if spec["type"] == "integer":
        return 64 + choice
    if name in TIMES:
        return f"{choice + 1}s"
    return TEXTS.get(name, ("some", "other"))[choice]


def sampled(name: str, choice: int) -> Any:
    return sample(name, resource_schema(CONTAINER).inputs.properties[name], choice)


def diff(old: Values, new: Values, state: Values | None = None) -> Diff:
    """Diff between two programs, the state being what the first one made."""
    old_inputs = {"image": "shop:1", "name": "web", "__defaults": [], **old}
    inputs = {"image": "shop:1", "name": "web", "__defaults": [], **new}
    request = DiffRequest(
        id="1", state=old_inputs | (state or {}), old_inputs=old_inputs, inputs=inputs
    )
    return CONTAINER_RESOURCE.diff(request)


def kinds(found: Diff) -> dict[str, bool]:
    """Whether each change replaces."""
    return {name: change.replaces for name, change in found.changes.items()}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_new_value(name: str) -> None:
    found = diff({name: sampled(name, 0)}, {name: sampled(name, 1)})
    assert kinds(found) == {name: name not in UPDATED}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_unchanged_value(name: str) -> None:
    assert kinds(diff({name: sampled(name, 0)}, {name: sampled(name, 0)})) == {}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_value_not_known_before_the_update(name: str) -> None:
    found = diff({name: sampled(name, 0)}, {name: UNKNOWN})
    assert kinds(found) == {name: name not in UPDATED}


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - {"image", "name"}))
def test_removed_value(name: str) -> None:
    found = diff({name: sampled(name, 0)}, {})
    if name in STICKY | DEFAULTED_TO_SAMPLE:
        assert kinds(found) == {}
    else:
        assert kinds(found) == {name: name not in UPDATED or name in REPLACED_ON_REMOVAL}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cpus", "0.50", "0.5"),
        ("healthcheck", {"interval": "60s"}, {"interval": "1m0s"}),
        ("healthcheck", {"interval": "0s", "tests": ["CMD", "a"]}, {"tests": ["CMD", "a"]}),
        ("capabilities", {"adds": ["NET_ADMIN"]}, {"adds": ["CAP_NET_ADMIN"]}),
        ("capabilities", {"drops": ["all"]}, {"drops": ["ALL"], "adds": []}),
        ("envs", ["A=1", "B=2"], ["B=2", "A=1"]),
        (
            "labels",
            [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}],
            [{"label": "b", "value": "2"}, {"label": "a", "value": "1"}],
        ),
        (
            "ports",
            [{"internal": 1, "external": 2}, {"internal": 3, "external": 4}],
            [{"internal": 3, "external": 4, "ip": "0.0.0.0"}, {"internal": 1, "external": 2}],
        ),
        ("ports", [{"internal": 80, "external": 49153}], [{"internal": 80}]),
        ("ports", [{"internal": 80, "external": 49153}], [{"internal": 80, "external": 0}]),
        (
            "networksAdvanced",
            [{"name": "a", "aliases": ["x", "y"]}],
            [{"name": "a", "aliases": ["y", "x"], "ipv4Address": ""}],
        ),
        (
            "devices",
            [{"hostPath": "/dev/x", "containerPath": "/dev/x", "permissions": "rwm"}],
            [{"hostPath": "/dev/x"}],
        ),
        ("user", "1000", ""),
        ("readOnly", False, None),
        ("networkMode", "bridge", None),
        ("restart", "no", None),
        ("gpus", '"device=0,1"', "device=0,1"),
        (
            "mounts",
            [{"type": "volume", "target": "/a"}],
            [{"type": "volume", "target": "/a", "readOnly": False}],
        ),
    ],
)
def test_same_setting_in_other_words_is_no_change(name: str, old: Any, new: Any) -> None:
    assert kinds(diff({name: old}, {name: new})) == {}


def test_removing_one_of_several_envs_replaces() -> None:
    assert kinds(diff({"envs": ["A=1", "B=2"]}, {"envs": ["A=1"]})) == {"envs": True}


def test_saying_no_to_what_was_on_is_not_leaving_it_out() -> None:
    assert kinds(diff({"init": True}, {"init": False})) == {"init": True}


def test_other_port_of_the_host_replaces() -> None:
    old = [{"internal": 80, "external": 8000}]
    assert kinds(diff({"ports": old}, {"ports": [{"internal": 80, "external": 8001}]})) == {
        "ports": True
    }


def test_one_port_more_replaces() -> None:
    old = [{"internal": 80, "external": 49153}]
    new = [{"internal": 80}, {"internal": 81}]
    assert kinds(diff({"ports": old}, {"ports": new})) == {"ports": True}


def test_swap_that_the_engine_chose_is_no_change() -> None:
    found = diff({"memory": 64}, {"memory": 64}, state={"memorySwap": 128})
    assert kinds(found) == {}


def test_command_of_the_image_is_no_change() -> None:
    assert kinds(diff({}, {}, state={"command": ["run"], "hostname": "0a1b", "user": "app"})) == {}


def test_stopped_container_is_an_update() -> None:
    found = diff({"mustRun": True}, {"mustRun": True}, state={"mustRun": False})
    assert kinds(found) == {"mustRun": False}
    assert not found.changes["mustRun"].from_input


@pytest.mark.parametrize("defaults", [[], ["name"]])
def test_replaced_container_is_deleted_first_whatever_its_name(defaults: list[str]) -> None:
    assert diff({"tty": True}, {"tty": False, "__defaults": defaults}).delete_before_replace


def test_state_of_the_official_provider_shows_no_change() -> None:
    ports = [
        {"__defaults": [], "internal": 80, "external": 8000, "ip": "0.0.0.0", "protocol": "tcp"}
    ]
    checked = CONTAINER_RESOURCE.check(
        CheckRequest(
            name="web",
            old_inputs=None,
            inputs={
                "image": "shop:1",
                "name": "web",
                "ports": [{"internal": 80, "external": 8000}],
            },
        )
    )
    official = {
        "image": "shop:1",
        "name": "web",
        "ports": ports,
        "cpuShares": 0,
        "dns": None,
        "capabilities": None,
        "memorySwap": 0,
        "networkMode": "bridge",
        "restart": "no",
        "entrypoints": [],
        "shmSize": 64,
    }
    request = DiffRequest(id="1", state=official, old_inputs=official, inputs=checked.inputs)
    assert kinds(CONTAINER_RESOURCE.diff(request)) == {}
