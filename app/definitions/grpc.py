"""Services of gRPC, as Protocol Buffers describe them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from proto_schema_parser import ast

from app.definitions.kinds import Checked, read_text, summary_of
from app.definitions.proto import Field, Method, ProtoFile, Type, read_proto, value_type
from app.definitions.proto_rules import proto_mistakes
from app.openapi.reading import MAX_MISTAKES, DocumentError
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


def check(content: bytes) -> Checked:
    """A file without mistakes.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its place.
    """
    text = read_text(content, "grpc")
    found = read_proto(text)
    if mistakes := [*islice(proto_mistakes(found), MAX_MISTAKES)]:
        raise DocumentError(mistakes)
    index = _outline(found)
    summary = summary_of(index, _comments(found))
    return Checked("grpc", text, None, found.syntax, index.title, "", summary)


def outline(text: str) -> Outline:
    """Methods by service, messages and enums."""
    return _outline(read_proto(text))


def part(text: str, kind: str, name: str) -> Part:
    """A method, or a message or enum."""
    found = read_proto(text)
    if kind == "schema":
        return _type(found, found.types[name]) if name in found.types else Part()
    for head, method in _methods(found):
        if head.id == name:
            return Part(_operation(found, head, method), exists=True)
    return Part()


def _outline(found: ProtoFile) -> Outline:
    said = [f"**{one.name}**: {one.comment}" for one in found.services if one.comment]
    if found.imports:
        said.append(f"Imports {', '.join(f'`{name}`' for name in found.imports)}.")
    return Outline.of(
        [head for head, _ in _methods(found)],
        [line(name) for name in found.types],
        title=line(found.package),
        description=html("\n\n".join(said)),
    )


def _methods(found: ProtoFile) -> Iterator[tuple[OperationHead, Method]]:
    ids = Ids()
    for service in found.services:
        for method in service.methods:
            said = method.comment
            is_stream = method.request.stream or method.response.stream
            head = OperationHead(
                id=ids.make(f"{service.name} {method.name}"),
                tag=line(service.name),
                method="stream" if is_stream else "unary",
                path=line(method.name),
                summary=": ".join(filter(None, (_signature(method), first_sentence(said)))),
                deprecated=method.deprecated,
            )
            yield head, method


def _signature(method: Method) -> str:
    taken, given = (
        line(f"stream {one.type}" if one.stream else one.type)
        for one in (method.request, method.response)
    )
    return f"({taken}) returns ({given})"


def _operation(found: ProtoFile, head: OperationHead, method: Method) -> Operation:
    return Operation(
        **vars(replace(head, summary=_signature(method))),
        description=html(method.comment),
        parameters=[],
        bodies=[_body(found, method.request)],
        answers=[Answer("", "", [_body(found, method.response)])],
    )


def _body(found: ProtoFile, of: ast.MessageType) -> Body:
    name = found.find(of.type)
    rows = _type(found, found.types[name]).rows if name else []
    return Body("stream" if of.stream else "", line(of.type), line(name), rows)


def _type(found: ProtoFile, kind: Type) -> Part:
    rows = [_row(found, kind, one) for one in kind.fields[:MAX_ROWS]]
    is_cut, said = len(kind.fields) > MAX_ROWS, html(kind.comment)
    return Part(rows=rows, exists=True, truncated=is_cut, sort=kind.sort, description=said)


def _row(found: ProtoFile, kind: Type, of: Field) -> Row:
    said = "\n\n".join(filter(None, (of.comment, "**Deprecated**" if of.deprecated else "")))
    shown = of.type if of.label in ("", "required") else f"{of.label} {of.type}"
    return Row(
        name=line(of.name),
        type=line(shown),
        required=of.label == "required",
        description=html(said),
        place=f"= {of.number}" + (f", one of {line(of.choice)}" if of.choice else ""),
        schema=line(found.find(value_type(of), kind.name)),
    )


def _comments(found: ProtoFile) -> Iterator[str]:
    for service in found.services:
        yield service.comment
        yield from (one.comment for one in service.methods)
    for kind in found.types.values():
        yield kind.comment
        yield from (one.comment for one in kind.fields)
