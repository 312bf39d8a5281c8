"""Nginx's configuration on an engine: when it is tested, what counts as drift, how it goes live."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from pulumi.runtime.rpc import UNKNOWN

from infra.services.nginx import live
from infra.services.nginx.configuration import _ConfigurationProvider, _TrialProvider
from infra.services.nginx.live import NginxError, put_live

PROPS: dict[str, Any] = {
    "stack": "prod",
    "volume": "devportal-prod-nginx-secrets",
    "image": "sha256:1",
    "uid": 101,
    "gid": 101,
    "files": {"nginx.conf": "events {}", "site.conf": ""},
    "secret_files": {"server.key": "key"},
    "peers": ["app-2:8000"],
    "assets": "",
    "assets_digest": "",
    "drain_seconds": 30,
    "engine": {"host": "unix:///var/run/docker.sock", "cert_path": ""},
}
# As the states of existing stacks have it.
DIGEST = "8f47479ab62500069a9ad2cf2365d5681a9127b1a8c301e44acff73555117763"
REFUSAL = (
    'nginx configuration: should pass `nginx -t` (got: unknown directive "lisen" in extra.conf:1). '
    "Correct it: extra.conf is devportal:nginx.extra_configuration, the rest is in docker/nginx. "
    "Nginx goes on as before."
)


class Volume(dict[str, bytes]):
    """Files by name, as an engine's volume has them."""

    def write(self, props: dict[str, Any]) -> None:
        self.update({name: live._encode(text) for name, text in props["files"].items()})

    def read(self, props: dict[str, Any]) -> dict[str, bytes]:
        return {name: content for name, content in self.items() if name in props["files"]}


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    found = Volume()
    monkeypatch.setattr(live, "write_files", found.write)
    monkeypatch.setattr(live, "read_files", found.read)
    return found


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Client of an engine on which nginx is paused and accepts whatever it is to test."""
    found = MagicMock()
    server = MagicMock(status="paused", attrs={"Image": PROPS["image"]})
    tester = found.containers.create.return_value
    found.containers.list.side_effect = lambda filters: (
        [server] * (server.status in filters["status"])
    )
    server.exec_run.return_value = (0, b"")
    tester.wait.return_value = {"StatusCode": 0}
    monkeypatch.setattr(live, "engine_of", lambda _: found)
    found.server, found.tester = server, tester
    return found


def state_of(props: dict[str, Any]) -> dict[str, Any]:
    outs = _ConfigurationProvider().create(props).outs
    assert outs is not None
    return outs


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({}, False),
        ({"assets": "/another/clone"}, False),
        ({"drain_seconds": 7}, False),
        ({"image": "sha256:2"}, True),
        ({"image": UNKNOWN}, True),
        ({"peers": ["app-3:8000"]}, True),
        ({"assets_digest": "other"}, True),
    ],
)
@pytest.mark.usefixtures("volume", "engine")
def test_whatever_nginx_may_refuse_is_tested_again(change: dict[str, Any], changes: bool) -> None:
    """Before its container is replaced, which needs this: a new image alone, too."""
    for provider in (_ConfigurationProvider(), _TrialProvider()):
        found = provider.diff("id", state_of(PROPS), {**PROPS, **change})
        assert (found.changes, found.replaces) == (changes, [])


@pytest.mark.usefixtures("engine")
def test_drift_is_what_differs_from_what_was_written_and_not_from_the_clone(
    volume: Volume, tmp_path: Path
) -> None:
    (tmp_path / "portal.css").write_text("then")
    state = state_of({**PROPS, "assets": str(tmp_path)})
    assert volume["live/assets/portal.css"] == b"then"
    (tmp_path / "portal.css").write_text("now")
    (tmp_path / "new.js").touch()
    assert live.is_live(state) is True
    volume["live/assets/portal.css"] = b"now"
    assert live.is_live(state) is False


@pytest.mark.parametrize("name", ["site.conf", "server.key", "checksums"])
@pytest.mark.usefixtures("engine")
def test_file_that_is_changed_or_gone_is_drift(volume: Volume, name: str) -> None:
    provider, state = _ConfigurationProvider(), state_of(PROPS)
    for harm in (lambda: volume.update({f"live/{name}": b"x"}), lambda: volume.pop(f"live/{name}")):
        harm()
        found = provider.read("id", state).outs
        assert found is not None
        assert provider.diff("id", found, PROPS).changes is True


@pytest.mark.usefixtures("volume", "engine")
def test_state_of_an_earlier_version_is_compared_by_its_inputs() -> None:
    state = state_of(PROPS)
    del state["checksums"]
    found = _ConfigurationProvider().read("id", state).outs
    assert found is not None
    # Else it would be a drift: a refresh asks for a diff with the inputs.
    assert found["digest"] == DIGEST
    assert live.is_live({**state, "files": {"nginx.conf": "other"}}) is False


@pytest.mark.usefixtures("volume")
def test_paused_nginx_goes_on_before_it_is_told_which_replicas_leave(engine: MagicMock) -> None:
    put_live({**PROPS, "peers": ["app-1:8000"]}, PROPS)
    done = [(name, *args) for name, args, _ in engine.server.method_calls]
    assert done == [
        ("unpause",),
        ("exec_run", ["reload-nginx", "0"]),
        ("exec_run", ["await-peers", "20", "app-2:8000"]),
        ("exec_run", ["reload-nginx", "30"]),
    ]


@pytest.mark.parametrize("code", [0, 1])
def test_server_that_does_not_know_what_its_successor_will_is_left_as_it_is(
    volume: Volume, engine: MagicMock, code: int
) -> None:
    """Its reload would fail, and no update could ever replace it."""
    engine.server.exec_run.side_effect = [(code, b""), (0, b"")]
    put_live(PROPS, {**PROPS, "image": "sha256:2"})
    commands = [args[0] for args, _ in engine.server.exec_run.call_args_list]
    tested = ["nginx", "-t", "-q", "-c", "/etc/nginx/portal/candidate/nginx.conf"]
    assert commands == [tested, *([] if code else [["reload-nginx", "0"]])]
    assert "live/nginx.conf" in volume


@pytest.fixture
def refusing(engine: MagicMock) -> MagicMock:
    said = 'nginx: [emerg] unknown directive "lisen" in /etc/nginx/portal/candidate/extra.conf:1\n'
    engine.tester.wait.return_value = {"StatusCode": 1}
    engine.tester.logs.return_value = said.encode()
    return engine


def test_refused_configuration_reaches_no_server(volume: Volume, refusing: MagicMock) -> None:
    with pytest.raises(NginxError) as caught:
        _ConfigurationProvider().update("id", PROPS, {**PROPS, "image": "sha256:2"})
    assert str(caught.value) == REFUSAL
    assert {name.partition("/")[0] for name in volume} == {"candidate"}
    assert refusing.server.method_calls == []


def test_trial_for_other_engines_leaves_nothing_on_this_one(
    volume: Volume, refusing: MagicMock
) -> None:
    with pytest.raises(NginxError) as caught:
        _TrialProvider().create(PROPS)
    assert str(caught.value) == REFUSAL
    assert {name.partition("/")[0] for name in volume} == {"candidate"}
    refusing.volumes.create.assert_called_once_with(
        PROPS["volume"], labels={"devportal.stack": "prod", "devportal.role": "nginx-trial"}
    )
    refusing.volumes.create.return_value.remove.assert_called_once_with()
    assert refusing.server.method_calls == []
