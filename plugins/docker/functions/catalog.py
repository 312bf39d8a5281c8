"""Every function by its token: the arguments it takes, and what answers it."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.docker.functions.images import get_registry_image, get_remote_image
from plugins.docker.functions.logs import DEFAULTS, get_logs
from plugins.docker.functions.lookup import Lookup, LookupFailed
from plugins.docker.functions.networks import get_network

Failure = tuple[str, str]
"""Path of an argument, and what is wrong with it."""

_TYPE_NAMES = {str: "a string", bool: "true or false"}


@dataclass(frozen=True)
class Function:
    """One function: its arguments with their types (`name` is always required), and its answer."""

    answer: Callable[[Lookup, Mapping[str, Any]], dict[str, Any]]
    arguments: Mapping[str, type]

    def check(self, args: Mapping[str, Any]) -> list[Failure]:
        """Every mistake in the arguments, without touching the engine."""
        return [*self._unknown(args), *self._mistyped(args)]

    def _unknown(self, args: Mapping[str, Any]) -> Iterator[Failure]:
        for key in args:
            if key not in self.arguments:
                near = difflib.get_close_matches(key, self.arguments, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                yield key, f"is not an argument of this function.{hint}"

    def _mistyped(self, args: Mapping[str, Any]) -> Iterator[Failure]:
        for key, expected in self.arguments.items():
            value = args.get(key)
            if key == "name" and value is None:
                yield key, "should be given"
            elif value is not None and not isinstance(value, expected):
                yield key, f"should be {_TYPE_NAMES[expected]}"


def _unsupported(name: str, instead: str) -> Function:
    def refuse(_lookup: Lookup, _args: Mapping[str, Any]) -> dict[str, Any]:
        raise LookupFailed(f"{name}: is not supported by this provider. {instead}")

    return Function(refuse, _Anything())


class _Anything(dict[str, type]):
    """Arguments of a function that is refused whatever it is given."""

    def __contains__(self, _key: object) -> bool:
        return True


FUNCTIONS: dict[str, Function] = {
    "docker:index/getNetwork:getNetwork": Function(get_network, {"name": str}),
    "docker:index/getRemoteImage:getRemoteImage": Function(get_remote_image, {"name": str}),
    "docker:index/getLogs:getLogs": Function(
        get_logs, {"name": str, **{key: type(value) for key, value in DEFAULTS.items()}}
    ),
    # insecureSkipVerify is the engine's own setting here: it is the engine that asks.
    "docker:index/getRegistryImage:getRegistryImage": Function(get_registry_image, {"name": str}),
    "docker:index/getRegistryImageManifests:getRegistryImageManifests": _unsupported(
        "getRegistryImageManifests", "Use getRegistryImage, or the official docker provider."
    ),
    "docker:index/getPlugin:getPlugin": _unsupported(
        "getPlugin", "Use the official docker provider."
    ),
}
