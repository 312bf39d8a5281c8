"""What a stack needs of the nodes of its swarm, asked before anything is changed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import docker
from docker.errors import APIError

from infra.engine.address import EngineAddress
from infra.engine.client import connect
from infra.errors import SettingsError

STORE_LABEL = "devportal.store"
EDGE_LABEL = "devportal.edge"
# Swarm says so 10 s after the leader has gone; before, this may be an election.
_LEADERLESS = "does not have a leader"


def require_nodes(address: EngineAddress) -> None:
    """Raise SettingsError with all that the swarm lacks."""
    if mistakes := list(find_mistakes(connect(address))):
        raise SettingsError(mistakes)


def find_mistakes(client: docker.DockerClient) -> Iterator[str]:
    """What the swarm lacks, each as a message."""
    swarm = client.info()["Swarm"]
    if not swarm["ControlAvailable"]:
        yield (
            "docker:host: should be a manager of a swarm with cluster.mode swarm (got an engine "
            f"whose swarm is {swarm['LocalNodeState']}). Choose one, or run `docker swarm init`."
        )
        return
    if _LEADERLESS in swarm.get("Error", ""):
        yield _minority_mistake(swarm["Error"])
        return
    try:
        nodes: list[dict[str, Any]] = client.api.nodes()
    except APIError as error:
        yield _minority_mistake(str(error.explanation))
        return
    yield from node_mistakes(nodes, swarm["NodeID"])


def _minority_mistake(error: str) -> str:
    said = error.rpartition("desc = ")[2].rstrip(".")
    return (
        f"swarm: should have a majority of its managers (got: {said}). Bring them back, or see "
        "`docker swarm init --force-new-cluster`."
    )


def node_mistakes(nodes: Sequence[Mapping[str, Any]], own_id: str) -> Iterator[str]:
    """What the nodes lack, as the manager lists them; `own_id` is the manager's own."""
    stores = [node for node in nodes if _has_label(node, STORE_LABEL)]
    if [node["ID"] for node in stores] != [own_id]:
        # Volumes are made, and emptied by mistake, on the engine that Pulumi talks to.
        yield (
            f"node label {STORE_LABEL}: should be true on the manager that docker:host names, and "
            f"on no other node (got: {_show(stores)}). Run `docker node update --label-add "
            f"{STORE_LABEL}=true {own_id}` there."
        )
    edges = [node for node in nodes if _has_label(node, EDGE_LABEL)]
    if not any(node["Status"]["State"] == "ready" for node in edges):
        yield (
            f"node label {EDGE_LABEL}: should be true on a node that is ready (got: "
            f"{_show(edges)}). Run `docker node update --label-add {EDGE_LABEL}=true NODE`."
        )


def _has_label(node: Mapping[str, Any], label: str) -> bool:
    return (node["Spec"].get("Labels") or {}).get(label) == "true"


def _show(nodes: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{node['Description']['Hostname']} {node['ID']}" for node in nodes) or "none"
