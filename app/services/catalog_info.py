"""Backstage's catalog-info.yaml, read into the portal's entities and relations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.constants import MAX_IMPORT_DOCUMENTS
from app.models.entities import EntityKey, EntityNew
from app.models.relations import RelationType
from app.yaml_text import YamlError, load_documents

_KEY = TypeAdapter(EntityKey)
_API_VERSION = re.compile(r"backstage\.io/v1(alpha|beta)1")
_REF = re.compile(r"^(?:([a-zA-Z]+):)?(?:([^/:]+)/)?([^/:]+)$")
_RELATIONS: dict[str, tuple[RelationType, str | None]] = {
    "dependsOn": ("depends_on", None),
    "providesApis": ("provides", "api"),
    "consumesApis": ("consumes", "api"),
}
"""The field of a spec, its relation, and the kind of references that name none."""

_TAKEN_OUT = {"owner", "lifecycle", "system", "definition", *_RELATIONS}
_PLACES = {
    "kind": "kind",
    "owner": "spec.owner",
    "lifecycle": "spec.lifecycle",
    "spec": "spec",
}


class CatalogInfoError(Exception):
    """The file cannot be imported; every mistake is named with its place."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Descriptor:
    """One document of the file.

    Parameters
    ----------
    number
        Its position in the file, from 1.
    targets
        The relations by their place in the document.
    definition
        The OpenAPI document of an API, as text.
    """

    number: int
    entity: EntityNew
    targets: dict[str, tuple[RelationType, EntityKey]] = field(default_factory=dict)
    definition: str | None = None


def parse_catalog_info(text: str) -> list[Descriptor]:
    """Every document of the file.

    Raises
    ------
    CatalogInfoError
        Raised with all mistakes of all documents.
    """
    found: list[Descriptor] = []
    mistakes: list[str] = []
    for number, document in enumerate(_load(text), 1):
        parser = _Parser(number)
        descriptor = parser.parse(document)
        mistakes += parser.mistakes
        found += [descriptor] if descriptor else []
    mistakes += _doubles(found)
    if mistakes:
        raise CatalogInfoError(mistakes)
    if not found:
        raise CatalogInfoError(["the file should have at least one document (got none)"])
    return found


def _load(text: str) -> list[Any]:
    documents: list[Any] = []
    try:
        for document in load_documents(text):
            # There may be nothing between two `---`.
            documents += [] if document is None else [document]
            if len(documents) > MAX_IMPORT_DOCUMENTS:
                limit = f"should have at most {MAX_IMPORT_DOCUMENTS} documents"
                raise CatalogInfoError([f"the file {limit}"])
    except YamlError as error:
        raise CatalogInfoError([str(error)]) from error
    return documents


def _doubles(found: list[Descriptor]) -> Iterator[str]:
    first: dict[EntityKey, int] = {}
    for descriptor in found:
        key = descriptor.entity.key
        before = first.setdefault(key, descriptor.number)
        if before != descriptor.number:
            rule = f"should describe {key} once (document {before} does)"
            yield f"document {descriptor.number}: {rule}"


class _Parser:
    """Reads one document and collects its mistakes."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.mistakes: list[str] = []

    def parse(self, document: Any) -> Descriptor | None:
        if not isinstance(document, dict):
            self._add("", "should be a mapping")
            return None
        version = document.get("apiVersion")
        if not isinstance(version, str) or not _API_VERSION.fullmatch(version):
            self._add("apiVersion", f"should be backstage.io/v1alpha1 (got {_show(version)})")
        metadata = self._mapping(document.get("metadata"), "metadata")
        spec = self._mapping(document.get("spec"), "spec")
        entity = self._entity(document.get("kind"), metadata, spec)
        namespace = metadata.get("namespace", "default")
        targets = dict(self._targets(spec, namespace))
        definition = self._definition(document.get("kind"), spec)
        if self.mistakes or entity is None:
            return None
        return Descriptor(self._number, entity, targets, definition)

    def _add(self, place: str, rule: str) -> None:
        where = f": {place}" if place else ""
        self.mistakes.append(f"document {self._number}{where}: {rule}")

    def _mapping(self, value: Any, place: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._add(place, f"should be a mapping (got {_show(value)})")
        return {}

    def _entity(
        self, kind: Any, metadata: dict[str, Any], spec: dict[str, Any]
    ) -> EntityNew | None:
        owner = self._owner(spec.get("owner"))
        values = {
            "kind": kind.lower() if isinstance(kind, str) else kind,
            "name": metadata.get("name"),
            "namespace": metadata.get("namespace", "default"),
            "title": metadata.get("title") or metadata.get("name"),
            "description": metadata.get("description") or "",
            "tags": metadata.get("tags") or [],
            "links": _links(metadata.get("links")),
            "owner": owner or "unknown",
            # A system and a resource have none in Backstage.
            "lifecycle": spec.get("lifecycle") or "production",
            "spec": _free(kind, spec),
        }
        try:
            return EntityNew.model_validate(values)
        except ValidationError as error:
            for item in error.errors():
                place = _place([str(part) for part in item["loc"]])
                self._add(place, f"{_rule(item)} (got {_show(item['input'])})")
            return None

    def _owner(self, value: Any) -> str | None:
        match = _REF.match(value) if isinstance(value, str) else None
        if match is None or (match[1] or "group").lower() != "group":
            self._add(
                "spec.owner",
                f"should name a team, like group:default/platform (got {_show(value)})",
            )
            return None
        return match[3]

    def _targets(
        self, spec: dict[str, Any], namespace: Any
    ) -> Iterator[tuple[str, tuple[RelationType, EntityKey]]]:
        system = spec.get("system")
        place = "spec.system"
        if system is not None and (key := self._reference(system, place, "system", namespace)):
            yield place, ("part_of", key)
        for name, (relation, kind) in _RELATIONS.items():
            given = spec.get(name)
            if given is not None and not isinstance(given, list):
                self._add(f"spec.{name}", f"should be a list (got {_show(given)})")
                continue
            for index, value in enumerate(given or []):
                place = f"spec.{name}[{index}]"
                if key := self._reference(value, place, kind, namespace):
                    yield place, (relation, key)

    def _reference(
        self, value: Any, place: str, kind: str | None, namespace: Any
    ) -> EntityKey | None:
        match = _REF.match(value) if isinstance(value, str) else None
        parts = match and (match[1] or kind, match[2] or namespace, match[3])
        try:
            assert parts
            kind_name = str(parts[0]).lower()
            return _KEY.validate_python(
                {"kind": kind_name, "namespace": parts[1], "name": parts[2]}
            )
        except (AssertionError, ValidationError):
            like = f"{kind or 'component'}:default/name"
            self._add(place, f"should name an entity, like {like} (got {_show(value)})")
            return None

    def _definition(self, kind: Any, spec: dict[str, Any]) -> str | None:
        value = spec.get("definition")
        if str(kind).lower() != "api" or value is None:
            return None
        if not isinstance(value, str):
            self._add("spec.definition", "should be the document itself; nothing is fetched")
            return None
        return value if spec.get("type") == "openapi" else None


def _free(kind: Any, spec: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in spec.items() if name not in _TAKEN_OUT}
    if str(kind).lower() == "api" and spec.get("type") != "openapi" and "definition" in spec:
        rest["definition"] = spec["definition"]
    return rest


def _links(value: Any) -> Any:
    if not isinstance(value, list):
        return value or []
    return [
        {name: link[name] for name in ("url", "title") if name in link}
        if isinstance(link, dict)
        else link
        for link in value
    ]


def _place(parts: list[str]) -> str:
    first = _PLACES.get(parts[0], f"metadata.{parts[0]}")
    return first + "".join(f"[{p}]" if p.isdecimal() else f".{p}" for p in parts[1:])


def _rule(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    if item["type"] == "string_pattern_mismatch":
        return f"should look like {item['ctx']['pattern']}"
    said: str = item["msg"]
    return said.replace("Input should be", "should be").replace("String should", "should")


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
