"""The operations of a document, references followed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.openapi.references import resolve

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PATH_NAME = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Operation:
    """What a client can ask for.

    Parameters
    ----------
    parameters
        Those of the path and the operation's own, by where they are sent and their name.
    security
        The alternatives; empty for none needed.
    """

    path: str
    method: str
    node: dict[str, Any]
    parameters: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    responses: dict[str, Any] = field(default_factory=dict)
    security: list[dict[str, list[str]]] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        return self.node.get("operationId")

    @property
    def title(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when a path parameter gets another name."""
        return _PATH_NAME.sub("{}", self.path), self.method

    def path_order(self) -> list[str]:
        """Names of the path's parameters as they stand in it."""
        return _PATH_NAME.findall(self.path)


def operations(document: dict[str, Any], section: str = "paths") -> Iterator[Operation]:
    """Every operation of `paths` or `webhooks`, in the document's order."""
    for path, item in _items(document.get(section)):
        shared = resolve(document, item)
        for method in METHODS:
            if isinstance(node := _mapping(shared).get(method), dict):
                yield _operation(document, path, method, shared, node)


def _operation(
    document: dict[str, Any], path: str, method: str, shared: dict[str, Any], node: dict[str, Any]
) -> Operation:
    parameters: dict[tuple[str, str], dict[str, Any]] = {}
    for given in (*_list(shared.get("parameters")), *_list(node.get("parameters"))):
        parameter = _mapping(resolve(document, given))
        parameters[str(parameter.get("in")), str(parameter.get("name"))] = parameter
    body = resolve(document, node.get("requestBody"))
    return Operation(
        path=path,
        method=method,
        node=node,
        parameters=parameters,
        body=body if isinstance(body, dict) else None,
        responses={code: resolve(document, item) for code, item in _items(node.get("responses"))},
        security=_list(node.get("security", document.get("security"))),
    )


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return ((k, v) for k, v in _mapping(value).items() if not k.startswith("x-"))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
