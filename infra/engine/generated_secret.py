"""A random secret, made once and kept encrypted in the state."""

import secrets
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

_SECRET_BYTES = 32


# Stored in the state by module and class, see infra/engine/resource.py.
class _RandomProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        value = secrets.token_urlsafe(int(props["length_bytes"]))
        return CreateResult(secrets.token_hex(8), {**props, "value": value})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = _olds["length_bytes"] != _news["length_bytes"]
        return DiffResult(changes=changed, replaces=["length_bytes"] if changed else [])


class GeneratedSecret(Resource, module="devportal", name="GeneratedSecret"):
    """A URL-safe random text of 32 random bytes."""

    value: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            _RandomProvider(),
            name,
            {"length_bytes": _SECRET_BYTES, "value": None},
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["value"])
            ),
        )
