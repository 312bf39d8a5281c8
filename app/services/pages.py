"""Pages of documentation that belong to entities."""

from app.exceptions import ChangedMeanwhileError, NotFoundError, PreconditionRequiredError
from app.models.access import Actor
from app.models.entities import EntityKey
from app.models.pages import PageChange, PageList, PageOut
from app.services.document_work import DocumentWork
from app.services.entity_rules import check_version, require_entity, require_owned
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.pages import add_page, delete_page, get_page, list_pages, update_page


def page_tag(page: PageOut) -> str:
    """A page's ETag; one that is created again after its removal has another."""
    return f'"{page.version}-{int(page.updated_at.timestamp() * 1_000_000):x}"'


class Pages:
    """Documentation in Markdown, rendered when it is written."""

    def __init__(self, database: Database, work: DocumentWork) -> None:
        self._database = database
        self._work = work

    async def list(self, key: EntityKey) -> PageList:
        """An entity's pages by title."""
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            return PageList(items=await list_pages(connection, stored.id))

    async def get(self, key: EntityKey, slug: str) -> PageOut:
        """One page.

        Raises
        ------
        NotFoundError
            Raised when the entity or the page does not exist.
        """
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            found = await get_page(connection, stored.id, slug)
        if found is None:
            raise NotFoundError(f"{key} has no page '{slug}'")
        return found[1]

    async def put(
        self, actor: Actor, key: EntityKey, slug: str, change: PageChange, *, if_match: str | None
    ) -> tuple[PageOut, bool]:
        """Create or replace a page; returns it, and whether it is new.

        Raises
        ------
        PreconditionRequiredError
            Raised when the page exists and `if_match` is None.
        ChangedMeanwhileError
            Raised when `if_match` is not the current version.
        InvalidRequestError
            Raised when it becomes too much HTML.
        TooLargeError
            Raised when it takes too much memory or processor time.
        """
        html = await self._render(actor, key, change.markdown)
        values = {"title": change.title, "markdown": change.markdown, "html": html}
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            found = await get_page(connection, stored.id, slug)
            if found is None:
                if if_match is not None:
                    raise ChangedMeanwhileError(f"If-Match: {key} has no page '{slug}' any more")
                await add_page(connection, stored.id, slug, values)
            else:
                _require_match(if_match, found[1])
                await update_page(connection, found[0], values)
            await add_event(
                connection,
                actor,
                "page.create" if found is None else "page.update",
                f"{key}/pages/{slug}",
                _describe(found and found[1], change),
            )
            written = await get_page(connection, stored.id, slug)
        assert written is not None
        return written[1], found is None

    async def _render(self, actor: Actor, key: EntityKey, markdown: str) -> str:
        async with self._database.connect() as connection:
            await require_owned(connection, actor, key, lock=False)
        async with self._work.turn_of(actor):
            return (await self._work.run("page", markdown.encode())).body.decode()

    async def delete(self, actor: Actor, key: EntityKey, slug: str, *, if_match: str) -> None:
        """Remove a page."""
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            found = await get_page(connection, stored.id, slug)
            if found is None:
                raise NotFoundError(f"{key} has no page '{slug}'")
            check_version(if_match, page_tag(found[1]))
            await delete_page(connection, found[0])
            await add_event(
                connection,
                actor,
                "page.delete",
                f"{key}/pages/{slug}",
                {"title": found[1].title, "version": found[1].version},
            )


def _require_match(if_match: str | None, page: PageOut) -> None:
    if if_match is None:
        raise PreconditionRequiredError(
            f"If-Match: should name the version to be replaced; it is {page_tag(page)} now"
        )
    check_version(if_match, page_tag(page))


def _describe(before: PageOut | None, after: PageChange) -> dict[str, object]:
    if before is None:
        return {"title": after.title, "characters": len(after.markdown)}
    characters = {"before": len(before.markdown), "after": len(after.markdown)}
    changed: dict[str, object] = {"characters": characters}
    if before.title != after.title:
        changed["title"] = {"before": before.title, "after": after.title}
    return {"changed": changed, "version": before.version}
