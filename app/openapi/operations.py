"""The operations of a document, references followed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.openapi.references import resolve
from app.outline import items, mapping

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
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
    parameters: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
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
            if isinstance(node := mapping(shared).get(method), dict):
                yield _operation(document, path, method, shared, node)


def _operation(
    document: dict[str, Any], path: str, method: str, shared: dict[str, Any], node: dict[str, Any]
) -> Operation:
    parameters: dict[tuple[str, str], Mapping[str, Any]] = {}
    for given in (*items(shared.get("parameters")), *items(node.get("parameters"))):
        parameter = mapping(resolve(document, given))
        parameters[str(parameter.get("in")), str(parameter.get("name"))] = parameter
    body = resolve(document, node.get("requestBody"))
    return Operation(
        path=path,
        method=method,
        node=node,
        parameters=parameters,
        body=body if isinstance(body, dict) else None,
        responses={code: resolve(document, item) for code, item in _items(node.get("responses"))},
        security=items(node.get("security", document.get("security"))),
    )


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return ((k, v) for k, v in mapping(value).items() if not k.startswith("x-"))
