"""The structure that a document of AsyncAPI has to have."""

from collections.abc import Iterator
from typing import Any

from app.openapi.references import reference_mistakes
from app.outline import mapping

ACTIONS = {"2": ("publish", "subscribe"), "3": ("send", "receive")}
"""By major version; in the older one they are parts of a channel."""
_SECTIONS = ("servers", "channels", "operations", "components")


def asyncapi_mistakes(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong, each with its place."""
    version = document.get("asyncapi")
    major = str(version).partition(".")[0]
    if not isinstance(version, str) or major not in ACTIONS:
        said = "nothing" if version is None else f"'{version}'"
        yield f"asyncapi: should be 2.x or 3.x (got {said})"
        return
    wrong = [*_sections(document, major)]
    yield from wrong
    if not wrong:
        yield from reference_mistakes(document)
        yield from _channels(document) if major == "2" else _actions(document)


def _sections(document: dict[str, Any], major: str) -> Iterator[str]:
    info = document.get("info")
    for name in ("title", "version"):
        if not isinstance(mapping(info).get(name), str):
            yield f"info.{name}: should be text (got {_show(mapping(info).get(name))})"
    needed = ("channels",) if major == "2" else ()
    for name in _SECTIONS:
        value = document.get(name)
        if (value is not None or name in needed) and not isinstance(value, dict):
            yield f"{name}: should be an object (got {_show(value)})"
    for name in ("servers", "channels", "operations"):
        for key, item in mapping(document.get(name)).items():
            if not isinstance(item, dict):
                yield f"{name}.{key}: should be an object (got {_show(item)})"
    address = "url" if major == "2" else "host"
    for key, server in mapping(document.get("servers")).items():
        for name in (address, "protocol") if "$ref" not in mapping(server) else ():
            if not isinstance(mapping(server).get(name), str):
                yield f"servers.{key}.{name}: should be text (got {_show(server.get(name))})"


def _channels(document: dict[str, Any]) -> Iterator[str]:
    """Of 2.x, where operations are parts of channels."""
    for name, channel in document["channels"].items():
        for action in ACTIONS["2"]:
            if not isinstance(channel.get(action, {}), dict):
                place = f"channels.{name}.{action}"
                yield f"{place}: should be an object (got {_show(channel[action])})"


def _actions(document: dict[str, Any]) -> Iterator[str]:
    """Of 3.x, where operations refer to channels."""
    for name, operation in mapping(document.get("operations")).items():
        if "$ref" in operation:
            continue
        action = operation.get("action")
        if action not in ACTIONS["3"]:
            yield f"operations.{name}.action: should be send or receive (got {_show(action)})"
        channel = operation.get("channel")
        if "$ref" not in mapping(channel):
            place = f"operations.{name}.channel"
            yield f"{place}: should refer to a channel (got {_show(channel)})"


def _show(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:100]
