"""Search, as a page."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from app.http.access import Access, access
from app.http.dependencies import SearchDep
from app.web.links import with_query
from app.web.views import ViewDep

router = APIRouter(include_in_schema=False)


@router.get("/search", **access(Access.READ))
async def show_search(
    view: ViewDep,
    search: SearchDep,
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """Search results, best matches first."""
    question = q.strip()
    page = await search.find(question, cursor=cursor) if question else None
    following = page.next_cursor if page else None
    return view.render(
        "search.html",
        question=question,
        hits=page.items if page else [],
        next_url=with_query("/search", {"q": question, "cursor": following}) if following else "",
    )
