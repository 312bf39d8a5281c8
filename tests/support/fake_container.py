"""One container of an engine that is not there, with a life to be played."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from infra.naming import ROLE_LABEL, STACK_LABEL

LABELS = {STACK_LABEL: "dev", ROLE_LABEL: "redis"}


def describe(status: str = "running", health: str = "healthy", **changes: Any) -> dict[str, Any]:
    """What the engine says of a container: its state, limits and ports."""
    state = {"Status": status, "ExitCode": changes.pop("code", 0), "Health": {"Status": health}}
    return {
        "State": state,
        "RestartCount": changes.pop("restarts", 0),
        "HostConfig": {"PidsLimit": changes.pop("pids", 256)},
        "NetworkSettings": {"Ports": changes.pop("ports", {})},
        "Config": {"Healthcheck": {"Test": ["CMD", "healthcheck"]}, "Hostname": "redis"},
    }


@dataclass
class FakeEngine:
    """Client of an engine with one container, or none.

    Parameters
    ----------
    life
        What the engine says of the container at each look; the last one stays.
    probes
        Exit code of each health check that is run; the last one stays.
    others
        Id and host name of stopped containers of the same stack and role.
    """

    life: list[dict[str, Any]] = field(default_factory=list)
    probes: list[int] = field(default_factory=lambda: [1])
    log: str = "first line\nlast line\n"
    exit_codes: list[str] = field(default_factory=list)
    refusal: str | None = None
    others: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    base_url = "http+docker://engine"
    api_version = "1.41"

    @property
    def containers(self) -> Any:
        return SimpleNamespace(get=self._get, list=self._list)

    @property
    def api(self) -> Any:
        return self

    def post(self, url: str, *, json: Any, timeout: int) -> Any:
        self.calls.append(f"limit {json['PidsLimit']}")
        for described in self.life:
            described["HostConfig"]["PidsLimit"] = json["PidsLimit"]
        return SimpleNamespace(ok=self.refusal is None, text=self.refusal)

    def events(self, **_: Any) -> Iterator[dict[str, Any]]:
        return iter({"Actor": {"Attributes": {"exitCode": code}}} for code in self.exit_codes)

    def _list(self, all: bool, filters: Any, ignore_removed: bool) -> list[Any]:
        assert "running" not in filters["status"]
        return [self._stopped(*other) for other in self.others]

    def _stopped(self, id_: str, hostname: str) -> Any:
        def remove(v: bool) -> None:
            self.calls.append(f"remove {id_}")

        attrs = {"Config": {"Hostname": hostname}}
        return SimpleNamespace(id=id_, labels=LABELS, attrs=attrs, remove=remove)

    def _get(self, id_: str) -> "FakeContainer":
        if not self.life:
            raise NotFound(id_)
        return FakeContainer(self)


class FakeContainer:
    """The container as `docker.models.containers.Container` shows it."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self.labels = LABELS
        self.attrs = engine.life[0]

    def reload(self) -> None:
        if len(self._engine.life) > 1:
            self._engine.life.pop(0)
        self.attrs = deepcopy(self._engine.life[0])

    def exec_run(self, command: list[str]) -> Any:
        assert command == ["healthcheck"]
        codes = self._engine.probes
        return SimpleNamespace(exit_code=codes.pop(0) if len(codes) > 1 else codes[0])

    def logs(self, tail: int) -> bytes:
        assert tail > 0
        return self._engine.log.encode()

    def start(self) -> None:
        self._engine.calls.append("start")

    def unpause(self) -> None:
        self._engine.calls.append("unpause")

    def restart(self, timeout: int) -> None:
        self._engine.calls.append(f"restart {timeout}")

    def stop(self, timeout: int) -> None:
        self._engine.calls.append(f"stop {timeout}")
