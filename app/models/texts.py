"""Texts and JSON as clients may send them: what PostgreSQL cannot hold is refused here."""

import json
import re
from collections.abc import Iterable
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from app.constants import MAX_SPEC_BYTES, MAX_SPEC_DEPTH

_LINE = r"^[^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00]*$"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NAME = r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
_DNS_LABEL = r"^[a-z0-9]+(-+[a-z0-9]+)*$"
_TAG = r"^[a-z0-9:+#]+(-[a-z0-9:+#]+)*$"

Kind = Literal["component", "api", "resource", "system"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_NAME)]
"""As Backstage has it: letters and digits, with -, _ and . between."""
Namespace = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_DNS_LABEL)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_TAG)]
Line = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=_TEXT)]


_URL = TypeAdapter(HttpUrl)


def _check_link(value: str) -> str:
    try:
        url = _URL.validate_python(value)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None
    if url.username or url.password:
        raise ValueError("should be a link without a user and a password")
    return value


WebLink = Annotated[
    str,
    StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f<>\"]+$"),
    AfterValidator(_check_link),
]
"""Nothing but http and https: a link is shown to be followed."""


def json_mistake(value: object, *, max_depth: int = MAX_SPEC_DEPTH) -> str | None:
    """Why PostgreSQL would not take this as JSON; None if it would."""
    level: list[object] = [value]
    for _ in range(max_depth + 1):
        for text in (item for item in level if isinstance(item, str)):
            if not _is_storable(text):
                return "should have no NUL and no half a character"
        if any(isinstance(item, float) and not isfinite(item) for item in level):
            return "should have finite numbers only"
        level = [part for item in level for part in _parts(item)]
        if not level:
            return None
    return f"should be nested at most {max_depth} deep"


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


def _is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def _check_spec(value: dict[str, Any]) -> dict[str, Any]:
    if mistake := json_mistake(value):
        raise ValueError(mistake)
    size = len(json.dumps(value))
    if size > MAX_SPEC_BYTES:
        raise ValueError(f"should be at most {MAX_SPEC_BYTES} bytes of JSON (got {size})")
    return value


Spec = Annotated[dict[str, Any], AfterValidator(_check_spec), Field(default_factory=dict)]
