"""Protocol Buffers' files, which describe services of gRPC.

What a file imports is not there: types of other files are shown by their names.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from antlr4.error.ErrorListener import ErrorListener
from proto_schema_parser import ast
from proto_schema_parser.parser import Parser

from app.lines import shorten
from app.openapi.reading import DocumentError

_LINK = re.compile(r"\[([^][\n]{1,200})\]\[[\w.]{0,200}\]")
"""`[Order][shop.v1.Order]`, by which comments of Google's refer to other types."""
_MAX_SHOWN = 200


@dataclass
class Field:
    """A field of a message, or a value of an enum."""

    name: str
    number: int
    type: str = ""
    label: str = ""
    """`repeated`, `optional` or `required`."""
    choice: str = ""
    """The `oneof` that it is of."""
    deprecated: bool = False
    comment: str = ""


@dataclass
class Type:
    """A message or an enum; its name has those of the messages around it."""

    sort: str
    name: str
    fields: list[Field] = field(default_factory=list)
    comment: str = ""


@dataclass
class Method:
    """What a client calls."""

    name: str
    request: ast.MessageType
    response: ast.MessageType
    deprecated: bool = False
    comment: str = ""


@dataclass
class Service:
    """Methods that are offered together."""

    name: str
    methods: list[Method] = field(default_factory=list)
    comment: str = ""


@dataclass
class ProtoFile:
    """What a file declares."""

    syntax: str = "proto2"
    package: str = ""
    imports: list[str] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    """Names that are declared again."""

    def find(self, name: str, scope: str = "") -> str:
        """The type of this file that a name means inside of `scope`; empty if none.

        The innermost one counts, as the language has it.
        """
        parts = [*filter(None, self.package.split(".")), *filter(None, scope.split("."))]
        prefix = f"{self.package}." if self.package else ""
        places = range(len(parts), -1, -1) if not name.startswith(".") else range(1)
        for place in places:
            whole = ".".join([*parts[:place], name.removeprefix(".")])
            found = whole.removeprefix(prefix) if whole.startswith(prefix) else ""
            if found in self.types:
                return found
        return ""


class _Mistakes(ErrorListener):
    def syntaxError(
        self, recognizer: Any, offendingSymbol: Any, line: int, column: int, msg: str, e: Any
    ) -> None:
        said = shorten(msg.partition(" expecting {")[0], _MAX_SHOWN)
        place = f"line {line}, column {column + 1}"
        raise DocumentError([f"{place}: should be Protocol Buffers (got: {said})"])


def _listen(recognizer: Any) -> None:
    recognizer.removeErrorListeners()
    recognizer.addErrorListener(_Mistakes())


def read_proto(text: str) -> ProtoFile:
    """What a text declares.

    Raises
    ------
    DocumentError
        Raised for what is not Protocol Buffers, with its line and column.
    """
    try:
        parsed = Parser(setup_lexer=_listen, setup_parser=_listen).parse(text)
    except ValueError as error:
        raise DocumentError([f"should be Protocol Buffers (got: {error})"]) from error
    edition = f"edition {parsed.edition}" if parsed.edition else "proto2"
    found = ProtoFile(syntax=parsed.syntax or edition)
    for item, comment in _commented(parsed.file_elements):
        if isinstance(item, ast.Package):
            found.package = item.name
        elif isinstance(item, ast.Import):
            found.imports.append(item.name)
        elif isinstance(item, ast.Service):
            found.services.append(_service(item, comment))
        else:
            _add_type(found, "", item, comment)
    return found


def _commented(elements: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """Each element with the comment above it, or else the one behind it in its line."""
    above: list[str] = []
    held: tuple[Any, str] | None = None
    for element in elements:
        if not isinstance(element, ast.Comment):
            if held:
                yield held
            held, above = (element, "\n".join(above)), []
        elif element.inline and held and not held[1]:
            held = held[0], _plain(element.text)
        elif not element.inline:
            above.append(_plain(element.text))
    if held:
        yield held


def _plain(comment: str) -> str:
    """Without its slashes and stars."""
    comment = _LINK.sub(r"\1", comment)
    if comment.startswith("//"):
        return comment.lstrip("/").removeprefix(" ").rstrip()
    lines = comment.removeprefix("/*").removesuffix("*/").lstrip("*").splitlines()
    return "\n".join(one.strip().removeprefix("*").removeprefix(" ") for one in lines).strip()


def _service(node: ast.Service, comment: str) -> Service:
    methods = [
        Method(item.name, item.input_type, item.output_type, _is_deprecated(item.elements), said)
        for item, said in _commented(node.elements)
        if isinstance(item, ast.Method)
    ]
    return Service(node.name, methods, comment)


def _add_type(found: ProtoFile, scope: str, item: Any, comment: str) -> None:
    """A message with those inside of it, or an enum."""
    if not isinstance(item, ast.Message | ast.Enum | ast.Group):
        return
    own = Type("enum" if isinstance(item, ast.Enum) else "message", f"{scope}{item.name}")
    own.comment = comment
    if own.name in found.types:
        found.twice.append(own.name)
    found.types[own.name] = own
    for part, said in _commented(item.elements):
        own.fields += _fields(part, said)
        _add_type(found, f"{own.name}.", part, said)


def _fields(item: Any, comment: str, choice: str = "") -> Iterator[Field]:
    label = str(getattr(item, "cardinality", None) or "").rpartition(".")[2].lower()
    if isinstance(item, ast.Field):
        deprecated = _is_deprecated(item.options)
        yield Field(item.name, item.number, item.type, label, choice, deprecated, comment)
    elif isinstance(item, ast.MapField):
        kind = f"map<{item.key_type}, {item.value_type}>"
        yield Field(item.name, item.number, kind, comment=comment)
    elif isinstance(item, ast.Group):
        yield Field(item.name.lower(), item.number, item.name, label, choice, comment=comment)
    elif isinstance(item, ast.EnumValue):
        deprecated = _is_deprecated(item.options)
        yield Field(item.name, item.number, deprecated=deprecated, comment=comment)
    elif isinstance(item, ast.OneOf):
        for part, said in _commented(item.elements):
            yield from _fields(part, said, item.name)


def _is_deprecated(options: Sequence[Any]) -> bool:
    return any(
        isinstance(one, ast.Option) and one.name == "deprecated" and one.value is True
        for one in options
    )


def value_type(field: Field) -> str:
    """The type of a field's value; of a map, of its values."""
    inner = field.type.removeprefix("map<").removesuffix(">")
    return inner.partition(", ")[2] if field.type.startswith("map<") else field.type
