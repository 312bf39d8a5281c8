"""Changes that a swarm refuses while its managers elect a leader are made again."""

import asyncio

import pulumi
import requests
from docker.errors import APIError

from infra.engine.address import EngineAddress
from infra.engine.client import connect, is_by_election

_ATTEMPTS = 3


def outlasting_elections(engine: EngineAddress) -> pulumi.ResourceTransformation:
    """For a component on a swarm: whatever it makes is tried again once there is a leader.

    By Pulumi's error hooks, so by the state alone, as when it is destroyed, nothing is.
    """

    async def wait(failure: pulumi.ErrorHookArgs) -> bool:
        again = is_worth_another_try(failure.errors)
        return again and await asyncio.to_thread(_await_leader, engine)

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


def is_worth_another_try(errors: list[str]) -> bool:
    """Whether to try again what failed with these errors, the newest first."""
    return len(errors) <= _ATTEMPTS and is_by_election(errors[0])


def _await_leader(engine: EngineAddress) -> bool:
    """Whether the managers agree on one in time: a list is asked of it alone."""
    try:
        connect(engine).api.nodes()
    except (APIError, requests.Timeout):
        return False
    return True
