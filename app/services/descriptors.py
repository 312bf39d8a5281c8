"""A document of Backstage's catalog-info.yaml, read into an entity and its relations."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast, get_args

from pydantic import TypeAdapter, ValidationError

from app.definitions.kinds import ApiKind
from app.models.entities import EntityKey, EntityNew
from app.models.relations import RelationType
from app.models.texts import Kind, TeamName
from app.services.document_notes import Notes, show, validated
from app.storage.relations import Statement

KINDS: tuple[str, ...] = get_args(Kind)
_DEFINITIONS = get_args(ApiKind)
_KEY = TypeAdapter(EntityKey)
_TEAM = TypeAdapter[str](TeamName)
_REF = re.compile(r"^(?:([a-zA-Z]+):)?(?:([^/:]+)/)?([^/:]+)$")
_SUBSTITUTIONS = ("$text", "$json", "$yaml", "$openapi", "$asyncapi", "$include")


class _Field(NamedTuple):
    """A relation by its field: the kind that a reference without one means, and of how many."""

    type: RelationType
    kind: str | None
    is_list: bool = True
    inverse: bool = False


_RELATIONS = {
    "system": _Field("part_of", "system", is_list=False),
    "domain": _Field("part_of", "domain", is_list=False),
    "subcomponentOf": _Field("part_of", "component", is_list=False),
    "subdomainOf": _Field("part_of", "domain", is_list=False),
    "dependsOn": _Field("depends_on", None),
    "dependencyOf": _Field("depends_on", None, inverse=True),
    "providesApis": _Field("provides", "api"),
    "consumesApis": _Field("consumes", "api"),
}
_LIKE = {"group": "group:default/platform", "user": "user:default/ada"}
_TAKEN_OUT = {"owner", "lifecycle", "definition", *_RELATIONS}
METADATA = ("name", "namespace", "title", "description", "annotations", "labels", "tags", "links")
_PLACES = {"kind": "kind", "owner": "spec.owner", "lifecycle": "spec.lifecycle", "spec": "spec"}


@dataclass(frozen=True)
class Descriptor:
    """A document that describes an entity.

    Parameters
    ----------
    number
        Its position in the file, from 1.
    targets
        The relations by their place in the document.
    definition
        The document of an API: its kind and text.
    """

    number: int
    entity: EntityNew
    targets: dict[str, Statement] = field(default_factory=dict)
    definition: tuple[ApiKind, str] | None = None


def read_entity(document: Mapping[str, Any], notes: Notes) -> Descriptor | None:
    """The entity of a document of one of the portal's kinds; None if it has a mistake."""
    metadata = notes.mapping(document.get("metadata"), "metadata")
    spec = notes.mapping(document.get("spec"), "spec")
    _refuse_substitutions(document, "", notes)
    notes.warn_of_others(metadata, "metadata.", METADATA)
    kind, namespace = str(document["kind"]).lower(), namespace_of(metadata, notes)
    entity = _entity(kind, namespace, metadata, spec, notes)
    targets = dict(_targets(spec, namespace, notes))
    definition = _definition(kind, spec, notes)
    if notes.mistakes or entity is None:
        return None
    for place, target in targets.items():
        if target.other.folded == entity.key.folded:
            notes.refuse(place, f"should not name the entity itself (got '{target.other}')")
    return Descriptor(notes.number, entity, targets, definition)


def namespace_of(metadata: Mapping[str, Any], notes: Notes) -> str:
    """In lower case: for Backstage, namespaces that differ in case alone are the same."""
    given = metadata.get("namespace", "default")
    if not isinstance(given, str):
        notes.refuse("metadata.namespace", f"should be text (got {show(given)})")
        return "default"
    return given.lower()


def team_of(
    value: Any,
    place: str,
    namespace: str,
    notes: Notes,
    kinds: Sequence[str] = ("group", "user"),
) -> str | None:
    """The name of the team that a reference means; the first of the kinds is that without one."""
    match = _REF.match(value) if isinstance(value, str) else None
    kind = (match[1] or kinds[0]).lower() if match else ""
    if match is not None and kind in kinds:
        name = team_name(match[3], match[2] or namespace, is_person=kind == "user")
        try:
            return _TEAM.validate_python(name)
        except ValidationError:
            pass
    like = " or ".join(_LIKE[kind] for kind in kinds)
    notes.refuse(place, f"should be like {like} (got {show(value)})")
    return None


def team_name(name: str, namespace: str, *, is_person: bool = False) -> str:
    """What a group, or the team of one person, is called in the portal."""
    prefix = "" if namespace.lower() == "default" else f"{namespace}:"
    return f"{'@' if is_person else ''}{prefix}{name}".lower()


def _entity(
    kind: str, namespace: str, metadata: dict[str, Any], spec: dict[str, Any], notes: Notes
) -> EntityNew | None:
    owner = team_of(spec.get("owner"), "spec.owner", namespace, notes)
    values = {
        "kind": kind,
        "name": metadata.get("name"),
        "namespace": namespace,
        "title": metadata.get("title") or metadata.get("name"),
        "description": metadata.get("description") or "",
        "tags": _tags(metadata.get("tags"), notes),
        "links": _links(metadata.get("links"), notes),
        "annotations": metadata.get("annotations") or {},
        "labels": metadata.get("labels") or {},
        "owner": owner or "unknown",
        # A system, a domain and a resource have none in Backstage.
        "lifecycle": spec.get("lifecycle") or "production",
        "spec": _free(kind, spec),
    }
    return validated(EntityNew, values, _PLACES, notes)


def _tags(value: Any, notes: Notes) -> Any:
    """Tags in lower case, as they are compared."""
    if not isinstance(value, list):
        return value or []
    changed = [tag for tag in value if isinstance(tag, str) and tag != tag.lower()]
    if changed:
        notes.warn("metadata.tags", f"in lower case (got {', '.join(map(show, changed))})")
    return [tag.lower() if isinstance(tag, str) else tag for tag in value]


def _links(value: Any, notes: Notes) -> Any:
    if not isinstance(value, list):
        return value or []
    return [link for index, link in enumerate(value) if _is_shown(link, index, notes)]


def _is_shown(link: Any, index: int, notes: Notes) -> bool:
    url = link.get("url") if isinstance(link, dict) else None
    scheme = url.partition(":")[0].lower() if isinstance(url, str) and ":" in url else "http"
    if scheme in ("http", "https"):
        return True
    place = f"metadata.links[{index}]"
    notes.warn(place, f"not kept: only links of http and https are (got {show(url)})")
    return False


def _targets(spec: dict[str, Any], namespace: str, notes: Notes) -> Iterator[tuple[str, Statement]]:
    for name, relation in _RELATIONS.items():
        given = spec.get(name)
        if given is None:
            continue
        if relation.is_list != isinstance(given, list):
            form = "a list" if relation.is_list else "one reference"
            notes.refuse(f"spec.{name}", f"should be {form} (got {show(given)})")
            continue
        for index, value in enumerate(given if relation.is_list else [given]):
            place = f"spec.{name}[{index}]" if relation.is_list else f"spec.{name}"
            if key := _reference(value, place, relation.kind, namespace, notes):
                yield place, Statement(relation.type, key, relation.inverse)


def _reference(
    value: Any, place: str, kind: str | None, namespace: str, notes: Notes
) -> EntityKey | None:
    match = _REF.match(value) if isinstance(value, str) else None
    named = ((match and match[1]) or kind or "").lower()
    if named and named not in KINDS:
        notes.warn(place, f"not kept: the portal has no kind '{named}' (got {show(value)})")
        return None
    try:
        return _KEY.validate_python(
            {
                "kind": named,
                "namespace": ((match and match[2]) or namespace).lower(),
                "name": match and match[3],
            }
        )
    except ValidationError:
        like = f"{kind or 'component'}:default/name"
        notes.refuse(place, f"should name an entity, like {like} (got {show(value)})")
        return None


def _definition(kind: str, spec: dict[str, Any], notes: Notes) -> tuple[ApiKind, str] | None:
    value = spec.get("definition")
    if kind != "api" or value is None:
        return None
    if not isinstance(value, str):
        if not (isinstance(value, dict) and value.keys() & set(_SUBSTITUTIONS)):
            notes.refuse("spec.definition", f"should be the document as text (got {show(value)})")
        return None
    type_ = spec.get("type")
    return (cast(ApiKind, type_), value) if type_ in _DEFINITIONS else None


def _refuse_substitutions(value: Any, place: str, notes: Notes) -> None:
    """Placeholders of Backstage's for a file's text: an import sees no other file."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in parts:
        inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
        if key in _SUBSTITUTIONS:
            rule = "should be the text itself: an import reads no other file"
            notes.refuse(inner, f"{rule} (got {show(item)}). Put the file's content in its place")
        elif isinstance(item, dict | list):
            _refuse_substitutions(item, inner, notes)


def _free(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in spec.items() if name not in _TAKEN_OUT}
    if "definition" in spec and not (kind == "api" and spec.get("type") in _DEFINITIONS):
        rest["definition"] = spec["definition"]
    return rest
