"""Schemas in GraphQL's schema definition language."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphql import Source, parse, print_ast
from graphql.language import (
    DirectiveNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
)

from app.definitions.graphql_rules import parse_checked
from app.definitions.kinds import Checked, read_text, summary_of
from app.lines import shorten
from app.outline import (
    MAX_ROWS,
    Answer,
    Body,
    Ids,
    Operation,
    OperationHead,
    Outline,
    Part,
    Row,
    first_sentence,
    html,
    line,
)

_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_TAGS = {"query": "Queries", "mutation": "Mutations", "subscription": "Subscriptions"}
_SORTS = {
    "object_type": "type",
    "interface_type": "interface",
    "union_type": "union",
    "enum_type": "enum",
    "input_object_type": "input",
    "scalar_type": "scalar",
}
_BUILT_IN = ("String", "Int", "Float", "Boolean", "ID")
_MAX_TYPE_CHARACTERS = 200
_MAX_SIGNATURE_CHARACTERS = 100


def check(content: bytes) -> Checked:
    """A schema without mistakes.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its line and column.
    """
    text = read_text(content, "graphql")
    schema = _Schema(parse_checked(text))
    found = schema.outline()
    texts = summary_of(found, schema.descriptions())
    return Checked("graphql", text, None, "", found.title, "", texts)


def outline(text: str) -> Outline:
    """The root types' fields, and the other types."""
    return _read(text).outline()


def part(text: str, kind: str, name: str) -> Part:
    """A root type's field, or a type."""
    return _read(text).part(kind, name)


def _read(text: str) -> "_Schema":
    return _Schema(parse(Source(text), no_location=True))


class _Schema:
    """What there is in a document; an extension adds to its type."""

    def __init__(self, document: DocumentNode) -> None:
        self._types: dict[str, list[Any]] = {}
        self._roots = dict(_ROOTS)
        self._description = ""
        roots: dict[str, str] = {}
        for node in document.definitions:
            if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
                self._types.setdefault(node.name.value, []).append(node)
            elif isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
                self._description = _description(node) or self._description
                roots |= {
                    one.operation.value: one.type.name.value for one in node.operation_types or ()
                }
        if roots:
            self._roots = roots

    def outline(self) -> Outline:
        """Its title is none: a schema has no name."""
        hidden = set(self._roots.values())
        return Outline.of(
            [head for head, _ in self._operations()],
            [line(name) for name in self._types if name not in hidden],
            description=html(self._description),
        )

    def part(self, kind: str, name: str) -> Part:
        if kind == "schema":
            return self._type(name) if name in self._types else Part()
        for head, node in self._operations():
            if head.id == name:
                return Part(self._operation(head, node), exists=True)
        return Part()

    def descriptions(self) -> Iterator[str]:
        """All of them."""
        yield self._description
        for nodes in self._types.values():
            for node in nodes:
                yield _description(node)
                yield from map(_description, _members(node))

    def _operations(self) -> Iterator[tuple[OperationHead, FieldDefinitionNode]]:
        ids = Ids()
        for operation, type_name in self._roots.items():
            for node in self._types.get(type_name, ()):
                for field in getattr(node, "fields", None) or ():
                    yield _head(ids, operation, field), field

    def _operation(self, head: OperationHead, node: FieldDefinitionNode) -> Operation:
        result = Body("", _type(node.type), self._name(node.type), [])
        return Operation(
            **vars(replace(head, summary="")),
            description=_said(node),
            parameters=[self._row(one) for one in (node.arguments or ())[:MAX_ROWS]],
            bodies=[],
            answers=[Answer("", "", [result])],
        )

    def _type(self, name: str) -> Part:
        nodes = self._types[name]
        rows = [self._row(one) for node in nodes for one in _members(node)]
        kind = nodes[0].kind.removesuffix("_definition").removesuffix("_extension")
        parents = [name for node in nodes for name in _interfaces(node)]
        sort = _SORTS.get(kind, kind)
        return Part(
            rows=rows[:MAX_ROWS],
            exists=True,
            truncated=len(rows) > MAX_ROWS,
            sort=line(f"{sort} of {', '.join(parents)}" if parents else sort),
            description=html("\n\n".join(filter(None, map(_description, nodes)))),
        )

    def _row(self, node: Any) -> Row:
        if isinstance(node, EnumValueDefinitionNode):
            return Row(line(node.name.value), "", False, _said(node))
        if isinstance(node, InputValueDefinitionNode):
            default = f" = {print_ast(node.default_value)}" if node.default_value else ""
            required = node.type.kind == "non_null_type" and not default
            type_name = _type(node.type, default)
            schema = self._name(node.type)
            return Row(line(node.name.value), type_name, required, _said(node), "", schema)
        if isinstance(node, FieldDefinitionNode):
            name = self._name(node.type)
            return Row(_signature(node), _type(node.type), False, _said(node), "", name)
        return Row(line(node.name.value), "", False, "", "", self._name(node))

    def _name(self, node: Any) -> str:
        """The type behind lists and what must not be null, if it is one of the document's."""
        while hasattr(node, "type"):
            node = node.type
        name = node.name.value
        return line(name) if name in self._types and name not in _BUILT_IN else ""


def _head(ids: Ids, operation: str, node: FieldDefinitionNode) -> OperationHead:
    return OperationHead(
        id=ids.make(f"{operation} {node.name.value}"),
        tag=_TAGS[operation],
        method=operation,
        path=_signature(node),
        summary=first_sentence(_description(node)),
        deprecated=_deprecation(node) is not None,
    )


def _members(node: Any) -> tuple[Any, ...]:
    """Fields, values, or the types of a union."""
    for name in ("fields", "values", "types"):
        if found := getattr(node, name, None):
            return tuple(found)
    return ()


def _interfaces(node: Any) -> list[str]:
    return [one.name.value for one in getattr(node, "interfaces", None) or ()]


def _signature(node: FieldDefinitionNode) -> str:
    names = ", ".join(one.name.value for one in node.arguments or ())
    shown = f"({shorten(names, _MAX_SIGNATURE_CHARACTERS)})" if names else ""
    return line(f"{node.name.value}{shown}")


def _type(node: Node, default: str = "") -> str:
    return line(shorten(f"{print_ast(node)}{default}", _MAX_TYPE_CHARACTERS))


def _description(node: Any) -> str:
    found = getattr(node, "description", None)
    return str(found.value) if found else ""


def _said(node: Any) -> str:
    """The description, and why it should not be used any more."""
    reason = _deprecation(node)
    deprecation = "" if reason is None else f"**Deprecated**{reason and f': {reason}'}"
    return html("\n\n".join(filter(None, (_description(node), deprecation))))


def _deprecation(node: Any) -> str | None:
    directives: Mapping[str, DirectiveNode] = {
        one.name.value: one for one in getattr(node, "directives", None) or ()
    }
    if (found := directives.get("deprecated")) is None:
        return None
    reasons = [one.value for one in found.arguments or () if one.name.value == "reason"]
    return str(getattr(reasons[0], "value", "")) if reasons else ""
