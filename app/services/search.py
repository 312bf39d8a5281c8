"""Search over entities, API documents and pages."""

import re
from collections import Counter
from typing import cast

from app.constants import MAX_SEARCH_CANDIDATES, MAX_SEARCH_WORDS
from app.models.search import SearchCounts, SearchPage
from app.models.texts import Kind
from app.services.cursors import Cursors
from app.storage import search
from app.storage.database import Database

_WORD = re.compile(r"[^\W_]+")
_MAX_WORD_CHARACTERS = 50
_MAX_HITS = 500
"""How far cursors lead: few people read on, and each page ranks those before it again."""


class Search:
    """Finds texts with all of the words; the last one may be the beginning of a word."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._database = database
        self._cursors = cursors

    async def find(
        self,
        query: str,
        *,
        kind: Kind | None = None,
        owner: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> SearchPage:
        """One page of results, best matches first; empty for a query without words.

        Raises
        ------
        NotFoundError
            Raised for a cursor that is not from a page of the same search.
        """
        listing = f"search:{kind}:{owner or ''}:{query}"
        [skipped] = self._cursors.decode(listing, cursor) if cursor else [0]
        if not (words := _words(query)):
            return SearchPage(items=[])
        async with self._database.read() as connection:
            # One more than the limit shows whether there is another page.
            hits = await search.find(
                connection,
                words,
                phrase=query.strip().lower().replace("\x00", ""),
                kind=kind,
                owner=owner,
                skipped=skipped,
                limit=limit + 1,
            )
        behind = skipped + limit
        more = len(hits) > limit and behind < _MAX_HITS
        return SearchPage(
            items=hits[:limit],
            next_cursor=self._cursors.encode(listing, [behind]) if more else None,
        )

    async def count(
        self, query: str, *, kind: Kind | None = None, owner: str | None = None
    ) -> SearchCounts:
        """How much a search finds, and how much there would be of each kind and owner."""
        async with self._database.read() as connection:
            rows = await search.count(connection, words) if (words := _words(query)) else []
        types, kinds, owners = Counter[str](), Counter[Kind](), Counter[str]()
        total = 0
        for row in rows:
            types[row.type] += row.hits
            if owner in (None, row.owner):
                kinds[cast(Kind, row.kind)] += row.hits
            if kind in (None, row.kind):
                owners[row.owner] += row.hits
            total += row.hits if owner in (None, row.owner) and kind in (None, row.kind) else 0
        is_complete = all(found < MAX_SEARCH_CANDIDATES for found in types.values())
        return SearchCounts(
            total=total,
            is_complete=is_complete,
            kinds=dict(kinds.most_common()),
            owners=dict(owners.most_common()),
        )


def _words(query: str) -> list[str]:
    found = _WORD.findall(query.lower())[:MAX_SEARCH_WORDS]
    return [word[:_MAX_WORD_CHARACTERS] for word in found]
