"""Rules that state themselves, so that every reader of a setting reports a mistake the same way.

Depends on pydantic alone: the portal and the program that deploys it both read settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

_PLAIN_RULES = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a group of keys",
    "list_type": "a list",
    "model_type": "a group of keys",
    "string_type": "text",
}
_SHOWN_CHARACTERS = 80
_OUT_OF_BOUNDS = {"greater_than_equal", "less_than_equal"}


@dataclass(frozen=True)
class Rule:
    """Annotates a type: whatever it refuses is reported as "should be `text`"."""

    text: str

    @property
    def values(self) -> str:
        """The accepted values, for a reference."""
        return self.text

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            try:
                return inner(value)
            except ValidationError:
                raise _mistake(self.text) from None

        return core_schema.no_info_wrap_validator_function(check, handler(source))


@dataclass(frozen=True)
class Between:
    """Annotates a number: both bounds are allowed; the unit is for the reference."""

    least: float
    most: float
    unit: str = ""

    @property
    def values(self) -> str:
        return f"{self.least} to {self.most} {self.unit}".rstrip()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        bounds = f"from {self.least} to {self.most}"
        whole = "a whole number" if source is int else "a number"

        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            # Python counts with booleans; nobody who writes `replicas: true` means 1.
            if isinstance(value, bool):
                raise _mistake(f"{whole} {bounds}")
            try:
                return inner(value)
            except ValidationError as error:
                kinds = {details["type"] for details in error.errors()}
                text = bounds if kinds <= _OUT_OF_BOUNDS else f"{whole} {bounds}"
                raise _mistake(text) from None

        number = {**handler(source), "ge": self.least, "le": self.most}
        return core_schema.no_info_wrap_validator_function(check, number)  # pyright: ignore[reportArgumentType]


def rule_text(details: ErrorDetails) -> str:
    """What the value should be, without the words "should be"."""
    context = details.get("ctx", {})
    # Of our own rules, and of pydantic's Literal and Enum.
    stated = context.get("rule") or context.get("expected")
    return stated or _PLAIN_RULES.get(details["type"], details["msg"])


def show(value: object) -> str:
    """A value that is no secret, as a mistake quotes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            # One line, whatever somebody pasted.
            line = value.encode("unicode_escape").decode() if not value.isprintable() else value
            return (
                f"'{line[:_SHOWN_CHARACTERS]}...'" if len(line) > _SHOWN_CHARACTERS else f"'{line}'"
            )
        case dict():
            return "a group of keys"
        case _:
            return str(value)


def show_secret(value: object) -> str:
    """What may be told about a secret."""
    return f"{len(value)} characters" if isinstance(value, str) else "a secret that is no text"


def values_of(field: FieldInfo) -> str:
    """The values that a field accepts, as a reference shows them; empty for free text."""
    return _values(field.annotation, field.metadata)


def _values(annotation: Any, metadata: tuple[Any, ...] | list[Any]) -> str:
    for entry in metadata:
        if isinstance(entry, Rule | Between):
            return entry.values
    if annotation is bool:
        return "true, false"
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):
        return ", ".join(annotation)  # pyright: ignore[reportCallIssue, reportArgumentType]
    found = [_nested(argument) for argument in get_args(annotation)]
    if get_origin(annotation) is dict:
        return f"keys: {found[0]}; values: {found[1]}"
    return ", ".join(text for text in found if text)


def _nested(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    metadata = getattr(argument, "__metadata__", ())
    return _values(get_args(argument)[0] if metadata else argument, metadata)


def _mistake(text: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "should be {rule}", {"rule": text})
