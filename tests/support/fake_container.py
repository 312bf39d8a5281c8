"""One container of an engine that is not there, with a life to be played."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

from docker.errors import NotFound

from infra.naming import ROLE_LABEL, STACK_LABEL

NETWORK_ID = "network-1"
SYSTEM_TIME = 1_700_000_000
"""What the engine's clock shows, which is not that of the machine that asks."""
LABELS = {STACK_LABEL: "dev", ROLE_LABEL: "redis"}


def describe(status: str = "running", health: str = "healthy", **changes: Any) -> dict[str, Any]:
    """What the engine says of a container: its state, limits, ports and aliases by network."""
    state = {
        "Status": status,
        "Running": status == "running",
        "ExitCode": changes.pop("code", 0),
        "Health": {"Status": health},
    }
    network_id = changes.pop("network_id", NETWORK_ID)
    return {
        "State": state,
        "RestartCount": changes.pop("restarts", 0),
        "HostConfig": {"PidsLimit": changes.pop("pids", 256)},
        "NetworkSettings": {
            "Ports": changes.pop("ports", {}),
            "Networks": {
                name: {"Aliases": aliases, "NetworkID": network_id}
                for name, aliases in changes.pop("networks", {}).items()
            },
        },
        "Config": {
            "Healthcheck": {"Test": ["CMD", "healthcheck"], "Timeout": 10 * 10**9},
            "Hostname": "redis",
        },
    }


def fake_engine(
    *life: dict[str, Any],
    probes: Sequence[int | None] = (1,),
    log: str = "first line\nlast line\n",
    exit_codes: Sequence[str] = (),
    refusal: str | None = None,
    others: Sequence[tuple[str, str]] = (),
) -> MagicMock:
    """Client of an engine with one container, or none; its `calls` are what was done to them.

    Parameters
    ----------
    life
        What the engine says of the container at each look; the last one stays.
    probes
        Exit code of each health check that is run; None for one that hangs. The last one stays.
    others
        Id and host name of stopped containers of the same stack and role.
    """
    looks, codes = deepcopy(list(life)), list(probes)
    engine = MagicMock(calls=[])
    container = MagicMock(labels=LABELS, attrs=looks and looks[0])

    def note(*words: object) -> None:
        engine.calls.append(" ".join(map(str, words)))

    def look() -> None:
        del looks[: len(looks) > 1]
        container.attrs = looks[0]

    def limit(url: str, *, json: dict[str, int], timeout: int) -> Any:
        note("limit", json["PidsLimit"])
        for described in looks:
            described["HostConfig"]["PidsLimit"] = json["PidsLimit"]
        return SimpleNamespace(ok=refusal is None, text=refusal)

    def probe(_: str, command: list[str]) -> dict[str, Any]:
        assert command == ["healthcheck"]
        code = codes.pop(0) if len(codes) > 1 else codes[0]
        engine.api.exec_inspect.return_value = {"Running": code is None, "ExitCode": code}
        return {"Id": "probe"}

    container.reload.side_effect = look
    _give_networks(engine, note)
    engine.containers.list.side_effect = partial(_list_stopped, others, note)
    container.exec_run.side_effect = AssertionError("it waits for ever")
    engine.api.exec_create.side_effect = probe
    container.logs.return_value = log.encode()
    container.start.side_effect = lambda: note("start")
    container.unpause.side_effect = lambda: note("unpause")
    container.restart.side_effect = lambda timeout: note("restart", timeout)
    container.stop.side_effect = lambda timeout: note("stop", timeout)
    engine.containers.get.side_effect = None if life else NotFound("gone")
    engine.containers.get.return_value = container
    engine.api.post.side_effect = limit
    dead = ({"Actor": {"Attributes": {"exitCode": code}}} for code in exit_codes)
    engine.events.side_effect = lambda **filters: dead
    engine.info.return_value = {"SystemTime": "2023-11-14T23:13:20.987654321+01:00"}
    return engine


def _give_networks(engine: MagicMock, note: Callable[..., None]) -> None:
    engine.api.connect_container_to_network.side_effect = lambda _, name, aliases: note(
        "connect", name, *aliases
    )
    engine.api.disconnect_container_from_network.side_effect = lambda _, name, force: note(
        "disconnect", name
    )
    engine.networks.get.return_value.id = NETWORK_ID


def _list_stopped(
    others: Sequence[tuple[str, str]],
    note: Callable[..., None],
    *,
    filters: dict[str, Any],
    **_: Any,
) -> list[MagicMock]:
    assert "running" not in filters["status"]
    found = [MagicMock(id=id_, labels=LABELS) for id_, _ in others]
    for one, (id_, hostname) in zip(found, others, strict=True):
        one.attrs = {"Config": {"Hostname": hostname}}
        one.remove.side_effect = lambda v, id_=id_: note("remove", id_)
    return found
