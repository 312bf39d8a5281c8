"""References inside a document: nothing is ever fetched, so each must lead to a place in it."""

import re
from collections.abc import Iterator, Set
from typing import Any
from urllib.parse import unquote

_VALUES = ("example", "examples", "default", "enum", "const")
_NAMED = {
    *("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"),
    *("paths", "webhooks", "responses", "content", "links", "callbacks", "encoding"),
    *("schemas", "parameters", "requestBodies", "securitySchemes", "pathItems"),
    *("channels", "operations", "messages", "servers", "operationTraits", "messageTraits"),
}
"""What has entries of any name: there `default` is a response or a schema, and no value."""
_MISSING = object()
_NOWHERE: dict[str, Any] = {}
_MAX_HOPS = 20
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def reference_mistakes(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with references, each with its place."""
    for place, target in _references(document, "#"):
        if not isinstance(target, str):
            yield f"{place}: should be text"
        elif not target.startswith("#"):
            yield (
                f"{place}: should lead to a place in this document, like "
                f"'#/components/schemas/Order' (got '{target[:200]}'). Bundle what it refers to."
            )
        elif _find(document, target) is _MISSING:
            yield f"{place}: should lead to something that exists (got '{target[:200]}')"
        elif resolve(document, {"$ref": target}) is _NOWHERE:
            yield f"{place}: should lead to something else than references (got '{target[:200]}')"


def _references(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    pending = [(node, place, False)]
    while pending:
        value, where, is_named = pending.pop()
        if isinstance(value, list):
            pending += [(item, f"{where}/{index}", False) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            # A property or an example may be called `$ref`; only beside a schema it refers.
            if "$ref" in value and (not is_named or isinstance(value["$ref"], str)):
                yield f"{where}/$ref", value["$ref"]
            pending += [
                (item, f"{where}/{_escape(key)}", key in _NAMED and not is_named)
                for key, item in value.items()
                if is_named or key not in _VALUES
            ]
            if not is_named:
                yield from _examples(value.get("examples"), f"{where}/examples")


def _examples(examples: Any, place: str) -> Iterator[tuple[str, Any]]:
    """References to examples; inside of one they are part of it."""
    for name, example in examples.items() if isinstance(examples, dict) else ():
        if isinstance(example, dict) and "$ref" in example:
            yield f"{place}/{_escape(name)}/$ref", example["$ref"]


def resolve(document: dict[str, Any], node: Any, *, beside: Set[str] = frozenset()) -> Any:
    """What `node` is once its references are followed; an empty object where they lead nowhere.

    A reference that has one of the keywords `beside` it is not followed.
    """
    for _ in range(_MAX_HOPS):
        if not isinstance(node, dict) or not isinstance(target := node.get("$ref"), str):
            return node
        if not beside.isdisjoint(node):
            return node
        node = _find(document, target)
        if node is _MISSING:
            break
    return _NOWHERE


def last_name(reference: str) -> str:
    """The name of what it leads to: `Page<Order>` of `#/components/schemas/Page%3COrder%3E`."""
    return _unescape(reference.rpartition("/")[2])


def _find(document: dict[str, Any], target: str) -> Any:
    start, *parts = target.split("/")
    if start != "#":
        return _MISSING
    node: Any = document
    for part in parts:
        key = _unescape(part)
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and _INDEX.fullmatch(key) and int(key) < len(node):
            node = node[int(key)]
        else:
            return _MISSING
    return node


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _unescape(part: str) -> str:
    return unquote(part).replace("~1", "/").replace("~0", "~")
