"""AsyncAPI documents of 2.x and 3.x: who sends which messages where."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from app.definitions.asyncapi_rules import ACTIONS, asyncapi_mistakes
from app.definitions.kinds import Checked, summary_of
from app.lines import clean_line
from app.openapi.reading import MAX_MISTAKES, DocumentError
from app.openapi.references import last_name
from app.openapi.schema_rows import SchemaRows, schemas, type_name
from app.outline import (
    MAX_ENTRIES,
    MAX_ROWS,
    Answer,
    Ids,
    Operation,
    OperationHead,
    Outline,
    Part,
    Row,
    first_sentence,
    html,
    items,
    line,
    mapping,
)

Json = Mapping[str, Any]


def check(document: dict[str, Any]) -> Checked:
    """A document with the structure of AsyncAPI.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its place.
    """
    if found := [*islice(asyncapi_mistakes(document), MAX_MISTAKES)]:
        raise DocumentError(found)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    info, index = document["info"], _outline(document)
    texts = (str(one.get("description", "")) for one in _described(document))
    return Checked(
        kind="asyncapi",
        document=text,
        original=None,
        language=document["asyncapi"],
        title=clean_line(info["title"])[:500],
        version=str(info["version"]),
        summary=summary_of(index, texts),
    )


def outline(text: str) -> Outline:
    """What is sent and received, by tag."""
    return _outline(json.loads(text))


def part(text: str, kind: str, name: str) -> Part:
    """An operation with its messages, or a schema."""
    document = json.loads(text)
    rows = SchemaRows(document)
    if kind == "schema":
        return rows.part(name)
    for found in _operations(document):
        if found.head.id == name:
            return Part(found.read(), exists=True, truncated=found.rows.is_full)
    return Part()


def _outline(document: dict[str, Any]) -> Outline:
    info = mapping(document.get("info"))
    return Outline.of(
        [one.head for one in islice(_operations(document), MAX_ENTRIES + 1)],
        [line(name) for name in islice(schemas(document), MAX_ENTRIES + 1)],
        title=line(info.get("title")),
        description=html(info.get("description")),
        servers=[*_servers(document)],
    )


def _servers(document: dict[str, Any]) -> Iterator[str]:
    rows = SchemaRows(document)
    for item in mapping(document.get("servers")).values():
        server = rows.resolve(item)
        address = server.get("url") or f"{server.get('host', '')}{server.get('pathname', '')}"
        protocol = server.get("protocol", "")
        yield line(address if "://" in str(address) else f"{protocol}://{address}")


class _Operation:
    """What is done with the messages of a channel."""

    def __init__(
        self, rows: SchemaRows, ids: Ids, name: str, action: str, channel: Json, node: Json
    ) -> None:
        self.rows = rows
        self._channel = channel
        traits = [rows.resolve(item) for item in items(node.get("traits"))]
        self._node: dict[str, Any] = {}
        for part in (*traits, node):
            self._node |= part
        address = channel.get("address") or name
        tags = [mapping(rows.resolve(tag)).get("name") for tag in items(self._node.get("tags"))]
        self.head = OperationHead(
            id=ids.make(f"{action} {name}"),
            tag=line(tags[0]) if tags else "Operations",
            method=action,
            path=line(address),
            summary=line(self._node.get("summary"))
            or first_sentence(self._node.get("description") or channel.get("description")),
            deprecated=False,
        )

    def read(self) -> Operation:
        """With the channel's parameters and all messages, those of a reply behind them."""
        reply = self.rows.resolve(self._node.get("reply"))
        answers = [self._answer(*found) for found in self._messages(self._node, self._channel)]
        if reply:
            channel = self.rows.resolve(reply.get("channel"))
            answers += [
                self._answer(f"reply: {name}", message)
                for name, message in self._messages(reply, channel)
            ]
        parameters = mapping(self._channel.get("parameters")).items()
        said = self._node.get("description") or self._channel.get("description")
        return Operation(
            **vars(self.head),
            description=html(said),
            parameters=[self._parameter(*one) for one in islice(parameters, MAX_ROWS)],
            bodies=[],
            answers=answers[:MAX_ROWS],
        )

    def _messages(self, node: Json, channel: Json) -> Iterator[tuple[str, Json]]:
        """Those that the operation names, else all of its channel."""
        if given := node.get("messages"):
            named = [("", one) for one in items(given)]
        elif "message" in node:
            several = items(mapping(node["message"]).get("oneOf"))
            named = [("", one) for one in several or [node["message"]]]
        else:
            named = [*mapping(channel.get("messages")).items()]
        for name, given in named:
            reference = last_name(str(mapping(given).get("$ref", "")))
            message = self.rows.resolve(given)
            yield line(message.get("name") or name or reference or "message"), message

    def _answer(self, name: str, message: Json) -> Answer:
        payload = mapping(message.get("payload"))
        # 3.x names the language of a schema beside it.
        schema = mapping(payload["schema"]) if "schemaFormat" in payload else payload
        bodies = [self.rows.body(message.get("contentType") or "payload", schema)]
        if headers := mapping(message.get("headers")):
            bodies.append(self.rows.body("headers", headers))
        said = [message.get("title"), message.get("summary"), message.get("description")]
        return Answer(name, html("\n\n".join(str(text) for text in said if text)), bodies)

    def _parameter(self, name: str, item: Any) -> Row:
        found = self.rows.resolve(item)
        schema = self.rows.resolve(found.get("schema")) or found
        kind = type_name({"type": "string", **schema})
        return Row(line(name), kind, True, html(found.get("description")), "channel")


def _operations(document: dict[str, Any]) -> Iterator[_Operation]:
    """Every operation, and channels that no operation is known of."""
    rows, ids = SchemaRows(document), Ids()
    channels = mapping(document.get("channels"))
    used = set[int]()
    for name, item in mapping(document.get("operations")).items():
        node = rows.resolve(item)
        channel = rows.resolve(node.get("channel"))
        used.add(id(channel))
        yield _Operation(rows, ids, name, str(node.get("action", "")), channel, node)
    for name, item in channels.items():
        channel = rows.resolve(item)
        actions = [one for one in ACTIONS["2"] if one in channel]
        for action in actions:
            yield _Operation(rows, ids, name, action, channel, mapping(channel[action]))
        if not actions and id(channel) not in used:
            yield _Operation(rows, ids, name, "channel", channel, {})


def _described(document: dict[str, Any]) -> Iterator[Json]:
    """What has descriptions that people search for."""
    components = mapping(document.get("components"))
    yield mapping(document.get("info"))
    for section in (
        *(document.get(name) for name in ("channels", "operations")),
        *(components.get(name) for name in ("messages", "schemas", "channels", "operations")),
    ):
        for item in mapping(section).values():
            yield mapping(item)
            yield from (mapping(one) for one in mapping(mapping(item).get("messages")).values())
