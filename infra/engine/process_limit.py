"""A limit on the processes of a container, which the docker provider has no property for.

The engine takes it for a container that runs already, and keeps it across restarts. Between the
container's start and this there are moments without it: whoever waits for a replica waits for
its limit too.
"""

from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from infra.errors import ProviderError

_INPUTS = ("container", "limit", "docker_host")
_TIMEOUT_SECONDS = 60


class ProcessLimitError(ProviderError):
    """The engine did not take a container's limit."""


class _ProcessLimitProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["name"], _limit(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = any(_olds.get(key) != _news.get(key) for key in _INPUTS)
        return DiffResult(changes=changed or _olds.get("found") != _news.get("limit"))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_limit(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        from docker.errors import NotFound

        from infra.engine.client import connect

        try:
            container = connect(props["docker_host"]).containers.get(props["container"])
        except NotFound:
            return ReadResult("", {})
        found = container.attrs["HostConfig"].get("PidsLimit") or 0
        return ReadResult(id_, {**props, "found": found})


def _limit(props: dict[str, Any]) -> dict[str, Any]:
    from infra.engine.client import connect

    api = connect(props["docker_host"]).api
    # The SDK's own `update_container` does not know this limit.
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/containers/{props['container']}/update",
        json={"PidsLimit": int(props["limit"])},
        timeout=_TIMEOUT_SECONDS,
    )
    if not answer.ok:
        raise ProcessLimitError(
            f"container '{props['name']}': should take a limit of {int(props['limit'])} processes "
            f"(got: {answer.text.strip()}). Run `up` again."
        )
    return {**props, "found": props["limit"]}


class ProcessLimit(Resource, module="devportal", name="ProcessLimit"):
    """How many processes and threads one container may have at a time."""

    container: pulumi.Output[str]
    """Id of the container, known once the limit holds."""

    def __init__(
        self,
        name: str,
        *,
        container: pulumi.Input[str],
        limit: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            _ProcessLimitProvider(),
            f"{name}-process-limit",
            {
                "name": name,
                "container": container,
                "limit": limit,
                "docker_host": pulumi.Config("docker").get("host") or "",
                "found": None,
            },
            opts,
        )
