"""The audit trail, which administrators read and nothing changes."""

import csv
import io
import re
from collections.abc import AsyncIterator

from app.constants import AUDIT_EXPORT_BATCH
from app.exceptions import NotFoundError
from app.models.access import Actor
from app.models.audit import AuditEventOut, AuditFilter, AuditPage
from app.storage.audit import add_event, list_events
from app.storage.database import Database

_COLUMNS = tuple(AuditEventOut.model_fields)
_MAX_ID = 2**63 - 1
_CURSOR = re.compile("[0-9]{1,19}")
# Spreadsheets take these for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Audit:
    """Reads and exports events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(self, wanted: AuditFilter, *, cursor: str | None, limit: int) -> AuditPage:
        """Events, newest first.

        Raises
        ------
        NotFoundError
            Raised for a cursor that is not from a page of this list.
        """
        items = await self._read(wanted, before=_decode(cursor), limit=limit + 1)
        more = len(items) > limit
        items = items[:limit]
        return AuditPage(items=items, next_cursor=str(items[-1].id) if more else None)

    async def start_export(self, actor: Actor, wanted: AuditFilter) -> None:
        """Record who exports; to be called before the rows are read."""
        async with self._database.connect() as connection:
            detail = wanted.model_dump(mode="json", exclude_none=True)
            await add_event(connection, actor, "audit.export", "audit", detail)

    async def export_ndjson(self, wanted: AuditFilter) -> AsyncIterator[str]:
        """All matching events, newest first, one JSON object a line."""
        async for batch in self._batches(wanted):
            yield "".join(f"{event.model_dump_json()}\n" for event in batch)

    async def export_csv(self, wanted: AuditFilter) -> AsyncIterator[str]:
        """All matching events, newest first, as a table that no spreadsheet executes."""
        yield _write_rows([_COLUMNS])
        async for batch in self._batches(wanted):
            yield _write_rows([_cells(event) for event in batch])

    async def _batches(self, wanted: AuditFilter) -> AsyncIterator[list[AuditEventOut]]:
        before: int | None = None
        while batch := await self._read(wanted, before=before, limit=AUDIT_EXPORT_BATCH):
            yield batch
            before = batch[-1].id

    async def _read(
        self, wanted: AuditFilter, *, before: int | None, limit: int
    ) -> list[AuditEventOut]:
        async with self._database.connect() as connection:
            return await list_events(connection, wanted, before=before, limit=limit)


def _decode(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not _CURSOR.fullmatch(cursor) or int(cursor) > _MAX_ID:
        raise NotFoundError("there is no page with this cursor")
    return int(cursor)


def _cells(event: AuditEventOut) -> tuple[str, ...]:
    values = {**event.model_dump(mode="json"), "detail": event.model_dump_json(include={"detail"})}
    return tuple(_neutral("" if values[name] is None else str(values[name])) for name in _COLUMNS)


def _neutral(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write_rows(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
