"""Pulumi property values as plain Python values, and back.

A value that is not known yet becomes `UNKNOWN`. Secrets become plain too; where they were, and
what they said, is kept beside the values, so that they can be marked again and never printed.
The signatures are those of Pulumi's wire format (sdk/go/common/resource/sig and
sdk/go/common/resource/plugin/rpc.go of github.com/pulumi/pulumi).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2

Values = dict[str, Any]
"""Properties of a resource by their Pulumi name, such as `networksAdvanced`."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
# One per type on the wire; ours need not tell them apart.
_UNKNOWN_TEXTS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_EXACT_INTEGERS = 2**53


class _Unknown:
    """Type of `UNKNOWN`, a value that a preview cannot know."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Unknown":
        return self


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Decoded:
    """Values, and which of them are secret.

    Attributes
    ----------
    secret_paths
        Paths such as `envs[2]` or `build.args.TOKEN`.
    secret_texts
        Every secret string; kept out of the printed form.
    """

    values: Values = field(repr=False)
    secret_paths: frozenset[str] = frozenset()
    secret_texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def secret_names(self) -> frozenset[str]:
        """Top-level properties which are, or hold, a secret."""
        return frozenset(first_name(path) for path in self.secret_paths)


def decode(struct: struct_pb2.Struct) -> Decoded:
    """Turn properties from the wire into plain values."""
    paths: list[str] = []
    texts: list[str] = []
    values = {
        name: _decode_value(value, name, paths, texts) for name, value in struct.fields.items()
    }
    return Decoded(values, frozenset(paths), tuple(dict.fromkeys(texts)))


def encode(values: Mapping[str, Any], secret_names: frozenset[str]) -> struct_pb2.Struct:
    """Turn plain values into properties for the wire, the named ones marked secret as a whole."""
    fields = {}
    for name, value in values.items():
        encoded = _encode_value(value)
        fields[name] = _as_secret(encoded) if name in secret_names else encoded
    return struct_pb2.Struct(fields=fields)


def has_unknown(value: Any) -> bool:
    """Whether the value is, or holds, one that is not known yet."""
    if value is UNKNOWN:
        return True
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)


def without_internal(values: Values) -> Values:
    """Properties without those that Pulumi keeps for itself, such as `__defaults`."""
    return {name: value for name, value in values.items() if not name.startswith("__")}


def join_path(parent: str, key: str | int) -> str:
    """Path of an element, as Pulumi writes it: `ports[0]`, `build.args`, `tmpfs["/run/x"]`."""
    if isinstance(key, int):
        return f"{parent}[{key}]"
    if not key.replace("_", "").replace("-", "").isalnum():
        return f'{parent}["{key}"]'
    return f"{parent}.{key}" if parent else key


def first_name(path: str) -> str:
    """The top-level property that a path begins with."""
    return path.partition(".")[0].partition("[")[0]


def _decode_value(value: struct_pb2.Value, path: str, paths: list[str], texts: list[str]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_TEXTS else value.string_value
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [
            _decode_value(item, join_path(path, index), paths, texts)
            for index, item in enumerate(value.list_value.values)
        ]
    if kind == "struct_value":
        return _decode_struct(value.struct_value, path, paths, texts)
    return None


def _decode_struct(struct: struct_pb2.Struct, path: str, paths: list[str], texts: list[str]) -> Any:
    fields = struct.fields
    signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else ""
    if signature in (_SECRET, _OUTPUT):
        inner = UNKNOWN
        if "value" in fields:
            inner = _decode_value(fields["value"], path, paths, texts)
        if signature == _SECRET or fields["secret"].bool_value:
            paths.append(path)
            # Pulumi's own properties hold all inputs as one secret, most of which are none.
            if not path.startswith("__"):
                texts.extend(_texts(inner))
        return inner
    if signature == _RESOURCE:
        return fields["urn"].string_value
    return {
        key: _decode_value(item, join_path(path, key), paths, texts) for key, item in fields.items()
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _number(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < _EXACT_INTEGERS else number


def _encode_value(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN_TEXT)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, dict):
        fields = {key: _encode_value(item) for key, item in value.items()}
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
    items = [_encode_value(item) for item in value]
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))


def _as_secret(value: struct_pb2.Value) -> struct_pb2.Value:
    fields = {_SIGNATURE: struct_pb2.Value(string_value=_SECRET), "value": value}
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
