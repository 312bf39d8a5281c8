"""Texts and JSON as clients may send them; what PostgreSQL cannot store is refused."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, TypeAdapter, ValidationError

from app.constants import MAX_SPEC_BYTES, MAX_SPEC_DEPTH
from app.json_values import json_mistake
from app.lines import LINE

_TEXT = r"^[^\x00]*$"
_NAME = r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
_DNS_LABEL = r"^[a-z0-9]+(-+[a-z0-9]+)*$"
_TAG = r"^[a-z0-9:+#]+(-[a-z0-9:+#]+)*$"
_TEAM = r"^@?([a-z0-9]+(-+[a-z0-9]+)*:)?[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$"
_METADATA_KEY = (
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)

Kind = Literal["component", "api", "resource", "system", "domain"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_NAME)]
"""As in Backstage: letters and digits, with -, _ and . between them."""
Namespace = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_DNS_LABEL)]
TeamName = Annotated[str, StringConstraints(max_length=128, pattern=_TEAM)]
"""A group's name of Backstage's namespace `default`; one of another namespace has it before a
colon, and a team of one person an @ before all: `platform`, `berlin:platform`, `@ada`."""
Tag = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_TAG)]
Line = Annotated[str, StringConstraints(max_length=200, pattern=LINE)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
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
"""Only http and https, because pages show it as a link to follow."""


def _check_spec(value: dict[str, Any]) -> dict[str, Any]:
    if mistake := json_mistake(value, max_depth=MAX_SPEC_DEPTH):
        raise ValueError(mistake)
    size = len(json.dumps(value))
    if size > MAX_SPEC_BYTES:
        raise ValueError(f"should be at most {MAX_SPEC_BYTES} bytes of JSON (got {size})")
    return value


MetadataKey = Annotated[str, StringConstraints(pattern=_METADATA_KEY)]
"""As in Backstage: a name, optionally prefixed by the domain that defines it."""
Annotations = Annotated[dict[MetadataKey, Text], Field(max_length=100)]
Labels = Annotated[
    dict[MetadataKey, Annotated[str, StringConstraints(max_length=63, pattern=f"^$|{_NAME}")]],
    Field(max_length=100),
]
Spec = Annotated[dict[str, Any], AfterValidator(_check_spec), Field(default_factory=dict)]


def check_storable(text: str) -> str:
    """Refuse what PostgreSQL cannot store: NUL, and half a surrogate pair."""
    if mistake := json_mistake(text, max_depth=0):
        raise ValueError(mistake)
    return text
