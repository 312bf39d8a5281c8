"""Backstage's catalog-info.yaml: a file of documents, read into what the portal has of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.constants import MAX_IMPORT_DOCUMENTS
from app.models.imports import ImportedEntity
from app.services.descriptors import KINDS, Descriptor, read_entity
from app.services.document_notes import Notes, show
from app.services.organisation import Group, User, read_group, read_user
from app.yaml_text import YamlError, load_documents

_API_VERSION = re.compile(r"backstage\.io/v1((alpha|beta)\d+)?")
_DOCUMENT = ("apiVersion", "kind", "metadata", "spec")


class CatalogInfoError(Exception):
    """The file cannot be imported; every mistake is named with its place."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass
class CatalogInfo:
    """What a file describes, and what of it does not come in as it is."""

    entities: list[Descriptor] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    skipped: dict[int, ImportedEntity] = field(default_factory=dict)
    """What the portal has nothing for, by the number of its document."""
    warnings: list[tuple[int, str]] = field(default_factory=list)
    """Each with the number of its document."""


def parse_catalog_info(text: str) -> CatalogInfo:
    """Every document of the file.

    Raises
    ------
    CatalogInfoError
        Raised with all mistakes of all documents.
    """
    found, mistakes = CatalogInfo(), list[str]()
    number = 0
    for number, document in enumerate(_load(text), 1):
        notes = Notes(number)
        _read(document, notes, found)
        mistakes += notes.mistakes
        found.warnings += [(number, said) for said in notes.warnings]
    mistakes += _doubles(found)
    if mistakes:
        raise CatalogInfoError(mistakes)
    if not number:
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


def _read(document: Any, notes: Notes, found: CatalogInfo) -> None:
    if not isinstance(document, dict):
        notes.refuse("", "should be a mapping")
        return
    kind = document.get("kind")
    if not isinstance(kind, str):
        notes.refuse("kind", f"should be text (got {show(kind)})")
        return
    if kind.lower() not in (*KINDS, "group", "user"):
        _skip(kind, document, notes, found)
        return
    version = document.get("apiVersion")
    if not isinstance(version, str) or not _API_VERSION.fullmatch(version):
        notes.refuse("apiVersion", f"should be backstage.io/v1alpha1 (got {show(version)})")
    notes.warn_of_others(document, "", _DOCUMENT)
    if kind.lower() == "group":
        found.groups += filter(None, [read_group(document, notes)])
    elif kind.lower() == "user":
        user = read_user(document, notes)
        found.users += filter(None, [user])
        if user is None and not notes.mistakes:
            found.skipped[notes.number] = _skipped(kind, document)
    else:
        found.entities += filter(None, [read_entity(document, notes)])


def _skip(kind: str, document: Mapping[str, Any], notes: Notes, found: CatalogInfo) -> None:
    why = f"the portal has no kind '{kind}'"
    if kind.lower() == "location":
        why = f"an import reads no other file. Import what it names: {_named(document)}"
    notes.warn("kind", f"skipped: {why}")
    found.skipped[notes.number] = _skipped(kind, document)


def _named(location: Mapping[str, Any]) -> str:
    spec = location.get("spec")
    given = spec if isinstance(spec, dict) else {}
    targets = given.get("targets")
    named = [given.get("target"), *(targets if isinstance(targets, list) else [])]
    return ", ".join(str(target) for target in named if target)


def _skipped(kind: str, document: Mapping[str, Any]) -> ImportedEntity:
    metadata = document.get("metadata")
    given = metadata if isinstance(metadata, dict) else {}
    name, namespace = str(given.get("name", "")), str(given.get("namespace", "default"))
    return ImportedEntity(kind=kind.lower(), namespace=namespace, name=name, result="skipped")


def _doubles(found: CatalogInfo) -> Iterator[str]:
    named = [(str(one.entity.key), one.number) for one in found.entities]
    named += [(f"group:{one.namespace}/{one.name}", one.number) for one in found.groups]
    named += [(f"user:{one.namespace}/{one.name}", one.number) for one in found.users]
    first: dict[str, int] = {}
    for name, number in named:
        before = first.setdefault(name.lower(), number)
        if before != number:
            yield f"document {number}: should describe {name} once (document {before} does)"
