"""A free port that is chosen once."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from infra.engine import host_port
from infra.engine.host_port import HostPortError, _HostPortProvider, choose_port

PROPS: dict[str, Any] = {
    "name": "app-port-8000",
    "address": "127.0.0.1",
    "engine": {"host": "unix:///var/run/docker.sock", "cert_path": ""},
}


def engine(*published: int) -> Any:
    found = [{"IP": "127.0.0.1", "PublicPort": port, "Type": "tcp"} for port in published]
    containers = [{"Names": ["/one"], "Labels": {}, "Ports": [*found, {"PrivatePort": 80}]}]
    return SimpleNamespace(api=SimpleNamespace(containers=lambda: containers))


@pytest.fixture(autouse=True)
def three_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_port, "_CANDIDATES", range(19001, 19004))
    monkeypatch.setattr(host_port, "_chosen", set())


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_port_that_a_container_publishes_is_not_chosen(address: str) -> None:
    """An address of another machine is left to its engine."""
    assert choose_port(engine(19001, 19003), address) == 19002


def test_port_that_a_process_listens_on_is_not_chosen() -> None:
    with socket.create_server(("127.0.0.1", 19002)):
        assert choose_port(engine(19001), "127.0.0.1") == 19003


def test_two_ports_of_one_update_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_port, "engine_of", lambda props: engine())
    provider = _HostPortProvider()
    outs = [provider.create(PROPS).outs for _ in range(3)]
    assert sorted(made["port"] for made in outs if made) == [19001, 19002, 19003]


def test_no_free_port_is_reported() -> None:
    with pytest.raises(HostPortError) as caught:
        choose_port(engine(19001, 19002, 19003), "127.0.0.1")
    assert str(caught.value) == (
        "ports: should have a free one on 127.0.0.1 from 19001 to 19003 (got none in 100 "
        "attempts). Set the port to one that is free."
    )


def test_port_is_kept_until_its_address_changes() -> None:
    provider, made = _HostPortProvider(), {**PROPS, "port": 19001.0}
    assert not provider.diff("id", made, PROPS).changes
    assert provider.diff("id", made, {**PROPS, "address": "::1"}).replaces == ["address"]
