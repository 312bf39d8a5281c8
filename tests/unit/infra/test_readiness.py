"""Readiness of a container: what a plan shows, how it is mended, how a failure is reported."""

import itertools
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.engine import container_state, readiness
from infra.engine.container_state import ReadinessError
from infra.engine.readiness import _ReadinessProvider
from tests.support.fake_container import SYSTEM_TIME, describe, fake_engine

PROPS: dict[str, Any] = {
    "container": "abc",
    "container_name": "devportal-dev-redis",
    "goal": "healthy",
    # Numbers come back from the state as floats.
    "pids_limit": 256.0,
    "ports": {},
    "wait_seconds": 120.0,
    "stop_seconds": 30.0,
    "state": "healthy",
    "repairs": 0.0,
    "engine": {"host": "unix:///var/run/docker.sock", "cert_path": ""},
}
JOB: dict[str, Any] = {**PROPS, "goal": "finished", "state": "finished"}
PROVIDER = _ReadinessProvider()
Use = Callable[..., MagicMock]
PORTS = {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "6380"}]}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by half a second at each look."""
    ticks = itertools.count(0, 0.5)
    monkeypatch.setattr(container_state.time, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(container_state.time, "sleep", lambda _: None)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Puts an engine with one container, whose life is given, in the place of the real one."""

    def replace(*life: dict[str, Any], **changes: Any) -> MagicMock:
        engine = fake_engine(*life, **changes)
        monkeypatch.setattr(readiness, "engine_of", lambda props: engine)
        return engine

    return replace


def planned(props: dict[str, Any] = PROPS) -> tuple[str, bool]:
    """State that a plan shows, and whether it shows a change."""
    checked = PROVIDER.check(props, dict(props)).inputs
    return checked["state"], bool(PROVIDER.diff("id", props, checked).changes)


def failure(props: dict[str, Any] = PROPS, olds: dict[str, Any] | None = None) -> str:
    with pytest.raises(ReadinessError) as caught:
        PROVIDER.put(olds or {}, props)
    return str(caught.value)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (describe(), "healthy"),
        (describe("paused"), "paused"),
        (describe("exited", code=137), "exited with code 137"),
        (describe("restarting"), "restarting"),
        (describe(health="unhealthy"), "unhealthy"),
        (describe(pids=99), "limited to 99 processes"),
        (None, "missing"),
    ],
)
def test_plan_shows_a_container_that_is_not_as_it_should_be(
    use: Use, found: dict[str, Any] | None, state: str
) -> None:
    use(*([found] if found else []))
    assert planned() == (state, state != "healthy")


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("127.0.0.1:6380", "healthy"),
        ("0.0.0.0:6380", "published on 127.0.0.1:6380 for 6379/tcp"),
        ("127.0.0.1:7000", "published on 127.0.0.1:6380 for 6379/tcp"),
    ],
)
def test_plan_compares_the_addresses_that_the_engine_bound(
    use: Use, address: str, state: str
) -> None:
    use(describe(ports=PORTS))
    assert planned({**PROPS, "ports": {"6379/tcp": address}})[0] == state


ON_DATA: dict[str, Any] = {**PROPS, "networks": [{"name": "data", "aliases": ["redis"]}]}
AS_WANTED = {"data": ["redis", "abc"]}


@pytest.mark.parametrize(
    ("networks", "state", "calls"),
    [
        (AS_WANTED, "healthy", []),
        ({}, "on no network", ["connect data redis"]),
        ({**AS_WANTED, "bridge": None}, "on bridge, data", ["disconnect bridge"]),
        (
            {"data": ["abc"]},
            "without its alias redis on data",
            ["disconnect data", "connect data redis"],
        ),
    ],
)
def test_container_is_brought_onto_its_networks_and_off_all_others(
    use: Use, networks: dict[str, Any], state: str, calls: list[str]
) -> None:
    use(describe(networks=networks))
    assert planned(ON_DATA) == (state, state != "healthy")
    engine = use(describe(networks=networks), describe(networks=AS_WANTED))
    PROVIDER.put(ON_DATA, ON_DATA)
    assert engine.calls == ["limit 256", *calls]


def test_stopped_container_of_a_network_that_was_made_again_is_brought_onto_the_new_one(
    use: Use,
) -> None:
    stopped = describe("exited", networks=AS_WANTED, network_id="network-0")
    engine = use(stopped, describe("exited", networks=AS_WANTED), describe(networks=AS_WANTED))
    PROVIDER.put(ON_DATA, ON_DATA)
    assert engine.calls == ["limit 256", "disconnect data", "connect data redis", "start"]


def test_networks_of_a_job_that_has_ended_do_not_matter(use: Use) -> None:
    engine = use(describe("exited"))
    job = {**JOB, "networks": ON_DATA["networks"]}
    assert planned(job) == ("finished", False)
    PROVIDER.put(job, job)
    assert engine.calls == ["limit 256"]


def test_health_check_that_passes_now_counts_more_than_what_the_engine_saw(use: Use) -> None:
    use(describe(health="unhealthy"), probes=[0])
    assert planned() == ("healthy", False)


def test_health_check_that_hangs_with_its_server_has_failed_after_its_time(use: Use) -> None:
    use(describe(health="unhealthy"), probes=[None])
    assert planned() == ("unhealthy", True)
    engine = use(describe(health="unhealthy"), describe(), probes=[None])
    PROVIDER.put(PROPS, PROPS)
    assert engine.calls == ["limit 256", "restart 30"]


def test_container_that_the_plan_replaces_is_not_asked_about(use: Use) -> None:
    use()
    checked = PROVIDER.check(PROPS, {**PROPS, "container": "other"}).inputs
    assert checked["state"] == "healthy"
    assert PROVIDER.diff("id", PROPS, checked).changes


def test_what_a_refresh_shows_is_still_a_change_in_the_plan(use: Use) -> None:
    use(describe("paused"))
    assert is_shown_by_refresh(PROPS, PROPS)
    refreshed = PROVIDER.read("id", PROPS).outs
    assert refreshed is not None
    assert PROVIDER.diff("id", refreshed, PROVIDER.check(PROPS, dict(PROPS)).inputs).changes


def test_refresh_after_a_repair_shows_nothing(use: Use) -> None:
    use(describe("paused"))
    inputs = PROVIDER.check(PROPS, dict(PROPS)).inputs
    use(describe("paused"), describe())
    outputs = PROVIDER.update("id", PROPS, inputs).outs
    assert outputs is not None
    assert not is_shown_by_refresh(outputs, inputs)


def test_container_that_is_paused_again_is_a_change_again(use: Use) -> None:
    repaired = {**PROPS, "repairs": 1.0}
    use(describe("paused"))
    assert planned(repaired) == ("paused", True)


def is_shown_by_refresh(outputs: dict[str, Any], inputs: dict[str, Any]) -> bool:
    """As Pulumi decides it: what was read against the inputs of the last update."""
    found = PROVIDER.read("id", outputs).outs
    assert found is not None
    return bool(PROVIDER.diff("id", found, inputs).changes)


@pytest.mark.parametrize(
    ("first", "calls"),
    [
        (describe("created"), ["limit 256", "start"]),
        (describe("paused"), ["limit 256", "unpause"]),
        (describe("exited", code=137), ["limit 256", "start"]),
        (describe("restarting"), ["limit 256", "restart 30"]),
        (describe(health="unhealthy"), ["limit 256", "restart 30"]),
        (describe(pids=99), ["limit 256"]),
    ],
)
def test_container_is_mended_under_its_process_limit(
    use: Use, first: dict[str, Any], calls: list[str]
) -> None:
    engine = use(first, describe(health="starting"), describe())
    assert PROVIDER.put(PROPS, PROPS) == {"state": "healthy"}
    assert engine.calls == calls


def test_container_is_ready_when_its_health_check_passes(use: Use) -> None:
    use(describe("created"), describe(health="starting"), probes=[1, 1, 0])
    assert PROVIDER.put({}, PROPS) == {"state": "healthy"}


def test_container_that_exits_fails_at_once_and_is_stopped(use: Use) -> None:
    ended = describe("exited", code=3)
    engine = use(describe("created"), describe(health="starting"), ended)
    assert failure() == (
        "container 'devportal-dev-redis': should become healthy (got: exited with code 3). Its "
        "last lines:\n    first line\n    last line\nCorrect what they name, then run `up` again."
    )
    assert engine.calls == ["limit 256", "start", "stop 30"]


def test_container_that_was_restarted_fails_with_the_code_it_ended_with(use: Use) -> None:
    again = describe(health="starting", restarts=1)
    life = (describe("created"), describe(health="starting"), again)
    engine = use(*life, exit_codes=["2"], log="")
    assert failure() == (
        "container 'devportal-dev-redis': should become healthy (got: exited with code 2). Its "
        "last lines:\n    (no line)\nCorrect what they name, then run `up` again."
    )
    assert engine.calls[-1] == "stop 30"


def test_how_a_container_ended_is_asked_by_the_clock_of_its_engine(use: Use) -> None:
    engine = use(describe("created"), describe(health="starting"), describe("exited", code=3))
    failure()
    assert engine.events.call_args.kwargs["until"] == SYSTEM_TIME + 1


@pytest.mark.parametrize(("olds", "last"), [({}, "stop 30"), (PROPS, "start")])
def test_container_that_takes_too_long_is_stopped_unless_it_was_ready_before(
    use: Use, olds: dict[str, Any], last: str
) -> None:
    engine = use(describe("created"), describe(health="starting"))
    assert failure(olds=olds) == (
        "container 'devportal-dev-redis': should become healthy (got: starting after 120 s). Its "
        "last lines:\n    first line\n    last line\nCorrect what they name, or raise "
        "health.wait_seconds; then run `up` again."
    )
    assert engine.calls[-1] == last


def test_what_earlier_failures_left_in_its_place_is_removed(use: Use) -> None:
    others = [("failed", "redis"), ("ready-before", "redis"), ("abc", "redis"), ("x", "app-2")]
    engine = use(describe("created"), describe(), others=others)
    PROVIDER.put({**PROPS, "container": "ready-before"}, PROPS)
    assert engine.calls == ["remove failed", "limit 256", "start"]


def test_missing_container_is_for_a_refresh(use: Use) -> None:
    use()
    assert failure() == (
        "container 'devportal-dev-redis': should exist (got none of this id). Run `pulumi up "
        "--refresh`, which creates it again."
    )
    assert PROVIDER.read("id", PROPS).id == ""


def test_engine_that_refuses_the_limit_is_reported(use: Use) -> None:
    use(describe("created"), refusal='{"message":"no cgroup"}\n')
    assert failure() == (
        "container 'devportal-dev-redis': should take a limit of 256 processes (got: "
        '{"message":"no cgroup"}). Run `up` again.'
    )


def test_job_is_done_when_it_has_ended_well(use: Use) -> None:
    engine = use(describe("created"), describe(), describe("exited"))
    assert PROVIDER.put({}, JOB) == {"state": "finished"}
    assert engine.calls == ["limit 256", "start"]
    assert planned(JOB) == ("finished", False)


def test_job_that_fails_is_not_run_again_in_the_same_update(use: Use) -> None:
    engine = use(describe("created"), describe(), describe("exited", code=1))
    assert failure(JOB).startswith(
        "container 'devportal-dev-redis': should become finished (got: exited with code 1)."
    )
    assert engine.calls.count("start") == 1


def test_job_whose_container_was_pruned_is_done_all_the_same(use: Use) -> None:
    use()
    assert planned(JOB) == ("finished", False)


def test_other_address_of_the_same_engine_touches_no_container(use: Use) -> None:
    engine = use(describe())
    moved = {**PROPS, "engine": {"host": "tcp://same:2376", "cert_path": "/home/other"}}
    assert PROVIDER.diff("id", PROPS, moved).changes
    assert PROVIDER.diff("id", PROPS, moved).replaces == []
    assert PROVIDER.update("id", PROPS, moved).outs == moved
    assert engine.calls == []
