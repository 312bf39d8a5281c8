"""Changes that a swarm refuses while its managers elect a leader are made again.

An election takes some seconds, and one may begin at any moment: a manager has gone, or the leader
has heard nothing from a majority for 10 s. What was under way then fails, with the swarm unharmed.
"""

import asyncio
import time

import pulumi
import requests
from docker.errors import APIError

from infra.engine.address import EngineAddress
from infra.engine.client import connect

_REFUSALS = (
    "node lost leader status",
    "no elected cluster leader",
    "swarm does not have a leader",
    "code = DeadlineExceeded",
    "code = Unavailable",
)
"""Of swarmkit's `manager/state/raft` and `manager/raftselector`, of Docker's `daemon/cluster`, and
of gRPC between a manager and a leader that has gone."""
_ATTEMPTS = 3
_WAIT_SECONDS = 60
_POLL_SECONDS = 0.5


def outlasting_elections(engine: EngineAddress) -> pulumi.ResourceTransformation:
    """For a component on a swarm: whatever it makes is tried again once there is a leader.

    By Pulumi's error hooks, so by the state alone, as when it is destroyed, nothing is.
    """

    async def wait(failure: pulumi.ErrorHookArgs) -> bool:
        return is_by_election(failure.errors) and await _has_leader_in_time(engine)

    hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("outlast-election", wait)])

    def add(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        if not isinstance(args.resource, pulumi.CustomResource):
            return None
        own = pulumi.ResourceOptions(hooks=hooks)
        merged = pulumi.ResourceOptions.merge(args.opts, own)
        return pulumi.ResourceTransformationResult(args.props, merged)

    return add


def is_by_election(errors: list[str]) -> bool:
    """Whether to try again what failed with these errors, the newest first."""
    return len(errors) <= _ATTEMPTS and any(refusal in errors[0] for refusal in _REFUSALS)


async def _has_leader_in_time(engine: EngineAddress) -> bool:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not await asyncio.to_thread(_has_leader, engine):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


def _has_leader(engine: EngineAddress) -> bool:
    """Whether the managers agree on one: a list is asked of it alone."""
    try:
        connect(engine).api.nodes()
    except (APIError, requests.Timeout):
        return False
    return True
