"""Groups and people of Backstage's catalog-info.yaml, read into teams and their members."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, StringConstraints

from app.models.sessions import Email
from app.models.teams import TeamIn, Title
from app.services.descriptors import namespace_of, team_name, team_of
from app.services.document_notes import Notes, show, validated

_PROFILE = "spec.profile."
_PLACES = {"description": "metadata.description", "handle": "metadata.name"}


class Person(BaseModel):
    """Whose account a document describes, by the address; `handle` is the name in the catalogue."""

    handle: Annotated[str, StringConstraints(max_length=127, pattern=r"^[a-z0-9][-a-z0-9_.:]*$")]
    email: Email
    name: Title


@dataclass(frozen=True)
class Group:
    """A document that describes a team; `members` are handles by their place."""

    number: int
    namespace: str
    name: str
    team: TeamIn
    members: Mapping[str, str]


@dataclass(frozen=True)
class User:
    """A document that describes a person; `teams` are names by their place."""

    number: int
    namespace: str
    name: str
    person: Person
    teams: Mapping[str, str]


def read_group(document: Mapping[str, Any], notes: Notes) -> Group | None:
    """The team of a document; None if it has a mistake."""
    metadata, spec, profile = _parts(document, notes)
    notes.warn_of_others(metadata, "metadata.", ("name", "namespace", "title", "description"))
    notes.warn_of_others(spec, "spec.", ("profile", "members"))
    notes.warn_of_others(profile, _PROFILE, ("displayName",))
    namespace, name = _key(metadata, notes)
    values = {
        "name": team_name(name, namespace),
        "title": profile.get("displayName") or metadata.get("title") or name,
        "description": metadata.get("description") or "",
    }
    team = validated(TeamIn, values, _PLACES, notes)
    listed = _references(spec, "members", "user", namespace, notes)
    members = {place: found.removeprefix("@") for place, found in listed.items()}
    return Group(notes.number, namespace, name, team, members) if team else None


def read_user(document: Mapping[str, Any], notes: Notes) -> User | None:
    """The person of a document; None if it has a mistake, or no address to know them by."""
    metadata, spec, profile = _parts(document, notes)
    notes.warn_of_others(metadata, "metadata.", ("name", "namespace", "title"))
    notes.warn_of_others(spec, "spec.", ("profile", "memberOf"))
    notes.warn_of_others(profile, _PROFILE, ("displayName", "email"))
    namespace, name = _key(metadata, notes)
    values = {
        "handle": team_name(name, namespace),
        "email": str(profile.get("email") or "").lower(),
        "name": profile.get("displayName") or metadata.get("title") or name,
    }
    teams = _references(spec, "memberOf", "group", namespace, notes)
    if not values["email"]:
        notes.warn("spec.profile.email", "not there: nobody's account can be known by it")
        return None
    person = validated(Person, values, {**_PLACES, "email": f"{_PROFILE}email"}, notes)
    return User(notes.number, namespace, name, person, teams) if person else None


def _key(metadata: Mapping[str, Any], notes: Notes) -> tuple[str, str]:
    name = metadata.get("name")
    if not isinstance(name, str):
        notes.refuse("metadata.name", f"should be text (got {show(name)})")
    return namespace_of(metadata, notes), str(name)


def _parts(
    document: Mapping[str, Any], notes: Notes
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    metadata = notes.mapping(document.get("metadata"), "metadata")
    spec = notes.mapping(document.get("spec") or {}, "spec")
    return metadata, spec, notes.mapping(spec.get("profile") or {}, "spec.profile")


def _references(
    spec: Mapping[str, Any], name: str, kind: str, namespace: str, notes: Notes
) -> dict[str, str]:
    """Names of teams by their place; of a person, that of the team which is theirs alone."""
    given = spec.get(name) or []
    if not isinstance(given, list):
        notes.refuse(f"spec.{name}", "should be a list")
        return {}
    found: dict[str, str] = {}
    for index, value in enumerate(given):
        place = f"spec.{name}[{index}]"
        if team := team_of(value, place, namespace, notes, (kind,)):
            found[place] = team
    return found
