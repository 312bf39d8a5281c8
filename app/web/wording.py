"""Words and times as people read them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from app.constants import MIN_PASSWORD_CHARACTERS
from app.definitions.kinds import ApiKind
from app.models.relations import RelationType

PASSWORD_RULE = (
    f"At least {MIN_PASSWORD_CHARACTERS} characters; a few words are easier to remember."
)

KIND_NAMES = {
    "component": "Component",
    "api": "API",
    "resource": "Resource",
    "system": "System",
    "domain": "Domain",
}
KIND_PLURALS = {kind: f"{name}s" for kind, name in KIND_NAMES.items()}


@dataclass(frozen=True)
class Words:
    """What a kind of API document calls its parts."""

    operation: str
    groups: str
    group: str
    filter: str
    parameters: str
    answers: str
    schemas: str


API_WORDS: dict[ApiKind, Words] = {
    "openapi": Words(
        *("operation", "Tags", "Tag", "Path, method or summary"),
        *("Parameters", "Responses", "Schemas"),
    ),
    "asyncapi": Words(
        *("operation", "Tags", "Tag", "Channel, action or summary"),
        *("Parameters", "Messages", "Schemas"),
    ),
    "graphql": Words(
        *("field", "Root types", "Root type", "Name or description"),
        *("Arguments", "Result", "Types"),
    ),
    "grpc": Words(
        *("method", "Services", "Service", "Method, message or description"),
        *("Parameters", "Response", "Messages and enums"),
    ),
}
ROLE_NAMES = {"admin": "Administrator", "member": "Member", "viewer": "Viewer"}
RELATION_NAMES: dict[RelationType, tuple[str, str]] = {
    "part_of": ("Part of", "Consists of"),
    "depends_on": ("Depends on", "Needed by"),
    "provides": ("Provides", "Provided by"),
    "consumes": ("Consumes", "Consumed by"),
}
"""By type: the relation's name as the entity sees it, and as its target does."""

_DAY = 86400
_UNITS = (
    (_DAY * 365, _DAY * 365, "year"),
    (_DAY * 100, _DAY * 30, "month"),
    (_DAY, _DAY, "day"),
    (3600, 3600, "hour"),
)
"""From how many seconds on, of how many seconds, and its name."""


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago, or how soon, that is: `3 hours ago`, `in 2 days`."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < 60:
        return "just now" if seconds >= 0 else "in a moment"
    text = _amount(abs(seconds))
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _amount(seconds: float) -> str:
    _, size, name = next((unit for unit in _UNITS if seconds >= unit[0]), (0, 60, "minute"))
    count = int(seconds // size)
    return f"{count} {name}{'' if count == 1 else 's'}"


def exactly(at: datetime) -> str:
    """The moment in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def browser_name(agent: str) -> str:
    """A User-Agent in short: `Firefox on Linux`."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for name in _SYSTEMS if name in agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return re.split(r"[\s(]", agent)[0][:40] or "Unknown"
