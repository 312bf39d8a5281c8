"""An example catalogue, in development: the files in app/seed/data are what teams would send."""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from app.markdown import render_markdown
from app.models.entities import EntityKey
from app.openapi.reading import read_document
from app.openapi.summary import summarise
from app.schema import ApiContent, ApiDocument, Entity, Page, Relation, Team
from app.services.catalog_info import parse_catalog_info
from app.services.descriptors import Descriptor

SEED_DATA = Path(__file__).parent / "data"

_Ids = dict[EntityKey, uuid.UUID]


def add_catalogue(connection: Connection) -> None:
    """Entities, their relations, documents and pages; what exists stays as it is."""
    descriptors = parse_catalog_info((SEED_DATA / "catalog-info.yaml").read_text()).entities
    new = _add_entities(connection, descriptors)
    _add_relations(connection, descriptors, new)
    _add_documents(connection, new)
    _add_pages(connection, new)


def _add_entities(connection: Connection, descriptors: list[Descriptor]) -> _Ids:
    owners = dict(connection.execute(select(Team.name, Team.id)).tuples().all())
    rows = [
        {**entity.model_dump(exclude={"owner"}), "owner_id": owners[entity.owner]}
        for entity in (descriptor.entity for descriptor in descriptors)
    ]
    added = insert(Entity).values(rows).on_conflict_do_nothing()
    columns = (Entity.id, Entity.kind, Entity.namespace, Entity.name)
    return {_key(row): row.id for row in connection.execute(added.returning(*columns))}


def _key(row: Any) -> EntityKey:
    return EntityKey(row.kind, row.namespace, row.name)


def _add_relations(connection: Connection, descriptors: list[Descriptor], new: _Ids) -> None:
    """Relations of new entities only: one of an older entity may have been removed on purpose."""
    columns = (Entity.kind, Entity.namespace, Entity.name, Entity.id)
    ids = {_key(row): row.id for row in connection.execute(select(*columns))}
    rows = [
        {"source_id": new[descriptor.entity.key], "type": relation, "target_id": ids[target]}
        for descriptor in descriptors
        if descriptor.entity.key in new
        for relation, target, _ in descriptor.targets.values()
    ]
    _add(connection, Relation, rows)


def _add_documents(connection: Connection, new: _Ids) -> None:
    contents: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    for path in sorted((SEED_DATA / "apis").glob("*/*.yaml")):
        key = EntityKey("api", "default", path.parent.name)
        if key in new:
            contents.append(_content(path))
            sha256 = contents[-1]["sha256"]
            versions.append({"entity_id": new[key], "version": path.stem, "sha256": sha256})
    _add(connection, ApiContent, contents)
    _add(connection, ApiDocument, versions)


def _content(path: Path) -> dict[str, Any]:
    document = read_document(path.read_bytes())
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return {
        "sha256": hashlib.sha256(text.encode()).digest(),
        "document": text,
        "openapi": document["openapi"],
        "title": document["info"]["title"],
        "size_bytes": len(text.encode()),
        "summary": summarise(document),
    }


def _add_pages(connection: Connection, new: _Ids) -> None:
    rows: list[dict[str, Any]] = []
    for path in sorted((SEED_DATA / "pages").glob("*/*/*.md")):
        kind: Any = path.parent.parent.name
        key = EntityKey(kind, "default", path.parent.name)
        if key in new:
            text = path.read_text()
            title = text.partition("\n")[0].removeprefix("# ")
            page = {"slug": path.stem, "title": title, "markdown": text}
            rows.append({"entity_id": new[key], **page, "html": render_markdown(text)})
    _add(connection, Page, rows)


def _add(connection: Connection, table: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table).values(rows).on_conflict_do_nothing())
