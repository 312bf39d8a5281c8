"""What a file of Protocol Buffers has to be, beyond its syntax."""

from collections import Counter
from collections.abc import Iterator

from app.definitions.proto import ProtoFile, Type, value_type

_SCALARS = frozenset(
    (
        *("double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"),
        *("fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"),
    )
)
_NUMBERS = range(1, 2**29)


def proto_mistakes(found: ProtoFile) -> Iterator[str]:
    """What is wrong beyond the syntax, each with its place."""
    for name in found.twice:
        yield f"{name}: should be declared once"
    if not found.services and not found.types:
        yield "the document should declare services or messages"
    for kind in found.types.values():
        yield from _field_mistakes(found, kind)
    for service in found.services:
        for name, count in Counter(one.name for one in service.methods).items():
            if count > 1:
                yield f"{service.name}.{name}: should be declared once (got {count})"
        for method in service.methods:
            for one in (method.request, method.response):
                yield from _unknown(found, one.type, f"{service.name}.{method.name}", "")


def _field_mistakes(found: ProtoFile, kind: Type) -> Iterator[str]:
    for what in ("name", "number") if kind.sort == "message" else ("name",):
        for value, count in Counter(getattr(one, what) for one in kind.fields).items():
            if count > 1:
                yield f"{kind.name}: should use the {what} {value} once (got {count})"
    for one in kind.fields if kind.sort == "message" else ():
        if one.number not in _NUMBERS:
            yield (
                f"{kind.name}.{one.name}: should have a number from 1 to {_NUMBERS[-1]} "
                f"(got {one.number})"
            )
        yield from _unknown(found, value_type(one), f"{kind.name}.{one.name}", kind.name)


def _unknown(found: ProtoFile, name: str, place: str, scope: str) -> Iterator[str]:
    """A type that neither this file nor one that it imports can have."""
    if not found.imports and name not in _SCALARS and not found.find(name, scope):
        yield f"{place}: should be of a type that the document has (got '{name}')"
