"""The process limit of a container: what counts as changed, what is asked of the engine."""

from typing import Any

import pytest
from docker.errors import NotFound

from infra.engine import client as engine_client
from infra.engine.process_limit import ProcessLimitError, _ProcessLimitProvider
from tests.support.recording import CONTAINER, load_settings, record_portal

PROPS: dict[str, Any] = {"name": "redis", "container": "abc", "limit": 256, "docker_host": ""}
STATE: dict[str, Any] = {**PROPS, "found": 256}


class FakeEngine:
    """Both the client and its low-level API; knows one container, or none."""

    base_url = "http+docker://engine"
    api_version = "1.41"

    def __init__(self, limit: int | None = None, *, status: int = 200) -> None:
        self.limit = limit
        self.status_code = status
        self.ok = status == 200
        self.text = '{"message":"no such container"}\n'
        self.posted: list[tuple[str, Any]] = []
        self.api = self.containers = self

    def post(self, url: str, *, json: Any, timeout: int) -> "FakeEngine":
        self.posted.append((url, json))
        return self

    def get(self, container: str) -> "FakeEngine":
        if self.status_code == 404:
            raise NotFound("no such container")
        self.attrs = {"HostConfig": {"PidsLimit": self.limit}}
        return self


def use(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    monkeypatch.setattr(engine_client, "connect", lambda host: engine)
    return engine


@pytest.mark.parametrize(
    ("olds", "news", "changes"),
    [
        ({}, {}, False),
        ({}, {"limit": 300}, True),
        ({}, {"container": "new"}, True),
        ({}, {"docker_host": "tcp://engine:2376"}, True),
        ({"found": 0}, {}, True),
    ],
)
def test_diff_compares_with_what_the_engine_has(
    olds: dict[str, Any], news: dict[str, Any], changes: bool
) -> None:
    result = _ProcessLimitProvider().diff("redis", {**STATE, **olds}, {**PROPS, **news})
    assert (result.changes, result.replaces) == (changes, None)


def test_limit_is_set_on_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(FakeEngine(), monkeypatch)
    # Numbers come back from the state as floats.
    created = _ProcessLimitProvider().create({**PROPS, "limit": 256.0})
    assert (created.id, created.outs) == ("redis", STATE)
    assert engine.posted == [
        ("http+docker://engine/v1.41/containers/abc/update", {"PidsLimit": 256})
    ]


def test_engine_that_refuses_the_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(FakeEngine(status=404), monkeypatch)
    with pytest.raises(ProcessLimitError) as caught:
        _ProcessLimitProvider().update("redis", STATE, PROPS)
    assert str(caught.value) == (
        "container 'redis': should take a limit of 256 processes "
        '(got: {"message":"no such container"}). Run `up` again.'
    )


@pytest.mark.parametrize(("limit", "found"), [(256, 256), (999, 999), (None, 0)])
def test_refresh_reads_the_limit_of_the_engine(
    limit: int | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(FakeEngine(limit), monkeypatch)
    outs = _ProcessLimitProvider().read("redis", STATE).outs
    assert outs == {**STATE, "found": found}


def test_limit_goes_with_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    use(FakeEngine(status=404), monkeypatch)
    assert _ProcessLimitProvider().read("redis", STATE).id == ""


def test_every_container_has_a_limit() -> None:
    recorder = record_portal(load_settings("prod", environment="production", pids_limit=300))
    limits = {
        item.inputs["name"]: (item.inputs["container"], item.inputs["limit"])
        for item in recorder.resources
        if item.type.endswith("ProcessLimit")
    }
    assert limits == {name: (f"{name}-id", 300) for name in recorder.of_type(CONTAINER)}
