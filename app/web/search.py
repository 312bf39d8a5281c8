"""Search, as a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from app.http.access import Access, access
from app.http.dependencies import SearchDep
from app.models.search import SearchCounts, SearchPage
from app.models.texts import Kind, TeamName
from app.web.links import next_page, with_query
from app.web.views import ViewDep
from app.web.wording import KIND_PLURALS

router = APIRouter(include_in_schema=False)
_SHOWN_OWNERS = 8


@dataclass(frozen=True)
class Choice:
    """A link that narrows the search, or takes that back."""

    label: str
    count: int | None
    url: str
    is_chosen: bool


@router.get("/search", **access(Access.READ))
async def show_search(
    view: ViewDep,
    search: SearchDep,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Kind | None = None,
    owner: TeamName | None = None,
    cursor: str | None = None,
) -> HTMLResponse:
    """Search results, best matches first, and how many there are of each kind and owner."""
    asked: dict[str, str | None] = {"q": q.strip(), "kind": kind, "owner": owner}
    if not asked["q"]:
        return view.render("search.html", question="")
    page = await search.find(q.strip(), kind=kind, owner=owner, cursor=cursor)
    counts = await search.count(q.strip(), kind=kind, owner=owner)
    return view.render("search.html", **_context(asked, page, counts))


def _context(
    asked: Mapping[str, str | None], page: SearchPage, counts: SearchCounts
) -> dict[str, Any]:
    return {
        "question": asked["q"],
        "hits": page.items,
        "counts": counts,
        "kinds": _choices(asked, "kind", counts.kinds, KIND_PLURALS),
        "owners": _choices(asked, "owner", counts.owners, {})[: _SHOWN_OWNERS + 1],
        "next_url": next_page("/search", asked, page.next_cursor),
    }


def _choices(
    asked: Mapping[str, str | None],
    name: str,
    counts: Mapping[Any, int],
    labels: Mapping[str, str],
) -> list[Choice]:
    """All of them, the one that is chosen, and the others by their number."""

    def choice(label: str, count: int | None, value: str | None) -> Choice:
        url = with_query("/search", asked, **{name: value})
        return Choice(label, count, url, value == asked[name])

    # One that finds nothing is still shown, so that it can be taken back.
    values = [*dict.fromkeys([*filter(None, [asked[name]]), *counts])]
    found = (choice(labels.get(value, value), counts.get(value, 0), value) for value in values)
    return [choice(f"All {name}s", None, None), *found]
