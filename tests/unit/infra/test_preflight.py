"""What is asked of an engine before anything changes."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from infra import preflight
from infra.engine.address import EngineAddress
from infra.errors import SettingsError
from infra.preflight import require_room
from tests.support.recording import load_settings

NEAR = EngineAddress("unix:///var/run/docker.sock")
FAR = EngineAddress("tcp://192.0.2.1:2376")
TAKEN = (
    "driver failed programming external connectivity on endpoint one (1f): Error starting userland "
    "proxy: listen tcp4 127.0.0.1:8443: bind: address already in use"
)
NOT_ITS_OWN = TAKEN.replace("address already in use", "cannot assign requested address")
NO_FOLDER = 'invalid mount config for type "bind": bind source path does not exist: /srv/b'
ROOMY = {"NCPU": 2, "MemTotal": 63 << 30, "DockerRootDir": "/"}
ADVICE = "Stop what holds it, or choose another; 0 means a free one."


def published(port: int, role: str, *, stack: str = "prod", address: str = "127.0.0.1") -> Any:
    return {
        "Names": [f"/devportal-{stack}-{role}"],
        "Labels": {"devportal.stack": stack, "devportal.role": role},
        "Ports": [{"IP": address, "PublicPort": port, "PrivatePort": 1, "Type": "tcp"}],
    }


class FakeEngine:
    """A fake engine with containers; it refuses what the test names."""

    def __init__(
        self, *containers: Any, info: Any = ROOMY, start: str = "", create: str = ""
    ) -> None:
        self.api = SimpleNamespace(containers=lambda: list(containers))
        self.images = SimpleNamespace(
            list=lambda filters: [SimpleNamespace(id="sha256:1")],
            get=lambda name: SimpleNamespace(id=name),
        )
        self.networks = SimpleNamespace(list=lambda names: [])
        self.containers = self
        self.info = lambda: info
        self.tried: list[Any] = []
        self._start, self._create = start, create

    def create(self, image: str, ports: Any = None, **_: Any) -> Any:
        self.tried.append(ports)
        _refuse(self._create)
        return SimpleNamespace(
            start=lambda: _refuse(self._start), remove=lambda force, v: self.tried.append("removed")
        )


def _refuse(explanation: str) -> None:
    if explanation:
        raise APIError("refused", explanation=explanation)


def check(
    monkeypatch: pytest.MonkeyPatch, engine: Any, address: EngineAddress = FAR, **values: Any
) -> list[str]:
    """Mistakes that are found for a production stack."""
    monkeypatch.setattr(preflight, "connect", lambda _: engine)
    ports = {"https": 8443, "http": 8080}
    try:
        require_room(
            load_settings("prod", environment="production", **{"ports": ports, **values}), address
        )
    except SettingsError as error:
        return error.mistakes
    return []


@pytest.mark.parametrize(
    ("containers", "taken"),
    [
        ([], None),
        ([published(8443, "nginx")], None),
        ([published(8443, "nginx", address="0.0.0.0")], None),
        ([published(8443, "nginx", address="192.0.2.1", stack="a")], None),
        ([published(8443, "nginx", stack="a")], "devportal-a-nginx"),
        ([published(8443, "nginx", stack="a", address="0.0.0.0")], "devportal-a-nginx"),
        ([published(8443, "adminer")], "devportal-prod-adminer"),
    ],
)
def test_port_of_another_container_is_refused(
    containers: list[Any], taken: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [
        f"devportal:ports.https: should be free on 127.0.0.1 (got 8443: container '{taken}' has "
        f"it). {ADVICE}"
    ]
    assert check(monkeypatch, FakeEngine(*containers)) == (expected if taken else [])


def test_port_of_a_process_is_refused_by_the_engines_own_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = FakeEngine(published(8080, "nginx"), start=TAKEN)
    assert check(monkeypatch, engine) == [
        "devportal:ports.https: should be free on 127.0.0.1 (got 8443: Error starting userland "
        f"proxy: listen tcp4 127.0.0.1:8443: bind: address already in use). {ADVICE}"
    ]
    assert engine.tried == [{"1/tcp": ("127.0.0.1", 8443)}, "removed"]


def test_address_of_another_machine_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(start=NOT_ITS_OWN)
    assert check(monkeypatch, engine) == [
        "devportal:ports.bind_address: should be an address of the engine's machine (got "
        "'127.0.0.1': Error starting userland proxy: listen tcp4 127.0.0.1:8443: bind: cannot "
        "assign requested address). Set one that it has, such as 127.0.0.1."
    ]


def test_trial_that_says_nothing_of_ports_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, FakeEngine(start='exec: "true": not found')) == []


def test_near_engine_is_tried_only_where_this_machine_cannot_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free, refused = FakeEngine(), FakeEngine(start=TAKEN)
        assert check(monkeypatch, free, NEAR, ports={"https": 0, "http": 0}) == []
        assert check(monkeypatch, refused, NEAR, ports={"https": port, "http": 0}) != []
    assert free.tried == []
    assert refused.tried == [{"1/tcp": ("127.0.0.1", port)}, "removed"]


def test_http3_takes_its_port_over_udp_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    check(monkeypatch, engine, nginx={"http3": True})
    assert {"1/udp": ("127.0.0.1", 8443)} in engine.tried


@pytest.mark.parametrize(
    ("values", "mistakes"),
    [
        (
            {"redis": {"cpus": 2.5}},
            [
                "devportal:redis.cpus: should be at most 2, as many processors as the engine has "
                "(got 2.5). Lower it."
            ],
        ),
        (
            {"backups": {"host_folder": "/srv/b"}},
            [
                "devportal:backups.host_folder: should have its folder on the engine's machine "
                f"(got '/srv/b': {NO_FOLDER}). Make it there, or change the setting."
            ],
        ),
    ],
)
def test_what_the_engine_would_refuse_is_refused(
    values: dict[str, Any], mistakes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        check(monkeypatch, FakeEngine(published(1, "nginx"), create=NO_FOLDER), **values)[:1]
        == mistakes
    )


def test_folder_that_this_user_cannot_look_into_is_for_the_engine_to_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Too long a name is refused to root as well, as others are a folder that is not theirs.
    values = {"ports": {"https": 0, "http": 0}, "backups": {"host_folder": "/" + "b" * 256}}
    assert check(monkeypatch, FakeEngine(), NEAR, **values) == []
    [mistake] = check(monkeypatch, FakeEngine(create=NO_FOLDER), NEAR, **values)
    assert mistake.startswith("devportal:backups.host_folder: should have its folder on the")


def test_memory_for_twice_the_replicas_and_disk_for_images_are_warned_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = {"NCPU": 2, "MemTotal": 3 << 30, "DockerRootDir": "/var/lib/docker"}
    usage = SimpleNamespace(free=1 << 30)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda folder: usage)
    found: list[str] = []
    monkeypatch.setattr(preflight.pulumi.log, "warn", found.append)
    assert check(monkeypatch, FakeEngine(info=small), NEAR, ports={"https": 0, "http": 0}) == []
    assert found == [
        "memory: should suffice for the limits of all containers while an update runs, 4096 MB "
        "(got 3072 MB). Lower app.replicas or the limits, or the engine may kill containers when "
        "they use all of them.",
        "disk: should have 2048 MB free for images and volumes (got 1024 MB in /var/lib/docker). "
        "Free some, for example by `docker image prune`.",
    ]
