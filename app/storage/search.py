"""Full-text search in PostgreSQL: entities, API documents and pages in one query."""

import html
from collections.abc import Sequence

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from app.constants import MAX_SEARCH_CANDIDATES
from app.models.search import SearchHit
from app.models.version_order import version_rank

_START, _STOP = "\ue000", "\ue001"
"""Around matches: private-use characters, which are removed from the text before."""

_MAX_EXCERPT_SOURCE = 20_000

_CHOSEN = """(:kind = '' OR entity.kind = :kind)
    AND (:owner = '' OR owner_id = (SELECT id FROM team WHERE team.name = :owner))"""
# The names of the alternatives are of the same width as those of SearchHit.type.
_STATEMENT = text(
    f"""
    WITH asked AS MATERIALIZED (SELECT portal_query(:words) AS query),
    hit AS (
        (SELECT 'entity' AS type, id AS entity_id, NULL AS part,
                ts_rank(search, (SELECT query FROM asked))
                    + CASE WHEN lower(name) = :phrase THEN 2
                           WHEN starts_with(lower(name), :phrase) THEN 1 ELSE 0 END AS rank
         FROM (SELECT id, name, search FROM entity
               WHERE search @@ (SELECT query FROM asked) AND {_CHOSEN}
               LIMIT :candidates) AS fitting
         ORDER BY rank DESC, name, id LIMIT :wanted)
        UNION ALL
        (SELECT 'page', entity_id, slug,
                ts_rank(fitting.search, (SELECT query FROM asked)) * 0.8 AS rank
         FROM (SELECT entity_id, slug, page.search, name
               FROM page JOIN entity ON entity.id = entity_id
               WHERE page.search @@ (SELECT query FROM asked) AND {_CHOSEN}
               LIMIT :candidates) AS fitting
         ORDER BY rank DESC, name, entity_id, slug LIMIT :wanted)
        UNION ALL
        (SELECT 'api_document', entity_id, NULL,
                ts_rank(search, (SELECT query FROM asked)) * 0.6 AS rank
         FROM (SELECT DISTINCT ON (entity_id) entity_id, api_content.search, name
               FROM api_content JOIN api_document USING (sha256)
               JOIN entity ON entity.id = entity_id
               WHERE api_content.search @@ (SELECT query FROM asked)
                   AND {_CHOSEN}
               ORDER BY entity_id, api_document.created_at DESC, api_document.version DESC
               LIMIT :candidates) AS fitting
         ORDER BY rank DESC, name, entity_id LIMIT :wanted)
    ),
    best AS (
        SELECT hit.*, entity.kind, namespace, name, entity.title AS entity_title
        FROM hit JOIN entity ON entity.id = entity_id
        ORDER BY rank DESC, name, type, entity_id, part
        OFFSET :skipped LIMIT :limit
    )
    SELECT best.*, (SELECT array_agg(version)
                    FROM api_content JOIN api_document AS own USING (sha256)
                    WHERE own.entity_id = best.entity_id AND best.type = 'api_document'
                        AND search @@ (SELECT query FROM asked)) AS versions
    FROM best ORDER BY rank DESC, name, type, entity_id, part
    """
).bindparams(bindparam("words", type_=ARRAY(Text)))

_TEXTS = text(
    f"""
    WITH asked AS MATERIALIZED (SELECT portal_query(:words) AS query)
    SELECT place, coalesce(page.title, nullif(api_content.title, ''), entity.title) AS title,
        ts_headline(
            'english',
            translate(
                left(coalesce(page.markdown, api_content.summary, description),
                    {_MAX_EXCERPT_SOURCE}),
                '{_START}{_STOP}', ''
            ),
            (SELECT query FROM asked),
            'StartSel={_START}, StopSel={_STOP}, MaxWords=30, MinWords=12, MaxFragments=2'
        ) AS excerpt
    FROM unnest(:types, :entities, :parts) WITH ORDINALITY AS hit (type, entity_id, part, place)
    JOIN entity ON entity.id = hit.entity_id
    LEFT JOIN page ON hit.type = 'page' AND page.entity_id = entity.id AND slug = part
    LEFT JOIN api_document ON hit.type = 'api_document' AND api_document.entity_id = entity.id
        AND api_document.version = part
    LEFT JOIN api_content USING (sha256)
    """
).bindparams(
    bindparam("words", type_=ARRAY(Text)),
    bindparam("types", type_=ARRAY(Text)),
    bindparam("entities", type_=ARRAY(Uuid)),
    bindparam("parts", type_=ARRAY(Text)),
)


# As many of each source as `_STATEMENT` looks at.
_COUNTS = text(
    """
    WITH asked AS MATERIALIZED (SELECT portal_query(:words) AS query),
    hit AS (
        (SELECT 'entity' AS type, id AS entity_id FROM entity
         WHERE search @@ (SELECT query FROM asked) LIMIT :candidates)
        UNION ALL
        (SELECT 'page', entity_id FROM page
         WHERE search @@ (SELECT query FROM asked) LIMIT :candidates)
        UNION ALL
        (SELECT DISTINCT 'api_document', entity_id
         FROM api_content JOIN api_document USING (sha256)
         WHERE search @@ (SELECT query FROM asked) LIMIT :candidates)
    )
    SELECT type, entity.kind, team.name AS owner, count(*) AS hits
    FROM hit JOIN entity ON entity.id = entity_id JOIN team ON team.id = owner_id
    GROUP BY type, entity.kind, team.name
    """
).bindparams(bindparam("words", type_=ARRAY(Text)))


async def count(
    connection: AsyncConnection, words: Sequence[str]
) -> Sequence[Row[tuple[str, str, str, int]]]:
    """How much matches all of the words, by type of hit, kind and owner of its entity."""
    values = {"words": list(words), "candidates": MAX_SEARCH_CANDIDATES}
    return (await connection.execute(_COUNTS, values)).all()


async def find(
    connection: AsyncConnection,
    words: Sequence[str],
    *,
    phrase: str,
    kind: str | None,
    owner: str | None,
    skipped: int,
    limit: int,
) -> list[SearchHit]:
    """What matches all of the words, best matches first; of a document, the highest version.

    Parameters
    ----------
    phrase
        The query as it was typed: an entity of that name comes first.
    """
    values = {
        "words": list(words),
        "phrase": phrase,
        "kind": kind or "",
        "owner": owner or "",
        "candidates": MAX_SEARCH_CANDIDATES,
        "wanted": skipped + limit,
        "skipped": skipped,
        "limit": limit,
    }
    rows = (await connection.execute(_STATEMENT, values)).all()
    parts = [max(row.versions, key=version_rank) if row.versions else row.part for row in rows]
    shown = {
        "words": list(words),
        "types": [row.type for row in rows],
        "entities": [row.entity_id for row in rows],
        "parts": parts,
    }
    # An entity may have been removed since: then there is no text.
    texts = {found.place: found for found in await connection.execute(_TEXTS, shown)}
    return [
        SearchHit.model_validate(
            {**row._mapping, "part": part, "title": found.title, "highlight": _mark(found.excerpt)}
        )
        for place, (row, part) in enumerate(zip(rows, parts, strict=True), 1)
        if (found := texts.get(place))
    ]


def _mark(excerpt: str) -> str:
    escaped = html.escape(excerpt)
    return escaped.replace(_START, "<mark>").replace(_STOP, "</mark>")
