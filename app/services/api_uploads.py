"""Uploads of API documents: checked in their turn, then published or refused."""

import json
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.definitions.kinds import ApiKind
from app.exceptions import ChangedMeanwhileError, NotFoundError, PreconditionRequiredError
from app.models.access import Actor
from app.models.api_documents import VersionOut
from app.models.entities import EntityKey
from app.services.api_documents import version_tag
from app.services.document_work import DocumentWork
from app.services.entity_rules import check_version, require_owned
from app.storage.api_documents import (
    Content,
    delete_unused_contents,
    delete_version,
    get_head,
    put_versions,
)
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.webhooks import announce

_CHECKED_CHARACTERS = 300_000
"""Of the documents that one process checks, which is some seconds' work."""


class ApiUploads:
    """Publishes and removes versions of interfaces; each document is stored once.

    Parameters
    ----------
    announces
        Whether webhooks are sent: while they are switched off, nothing waits for them either.
    """

    def __init__(self, database: Database, work: DocumentWork, *, announces: bool) -> None:
        self._database = database
        self._work = work
        self._announces = announces

    async def check(self, content: bytes, kind: ApiKind | None = None) -> tuple[Content, str]:
        """An uploaded document after its check in a `turn`, and the version that it names.

        Parameters
        ----------
        kind
            What it has to be; without one, that is found out.

        Raises
        ------
        InvalidRequestError
            Raised with the mistakes of a document that is of no kind.
        TooLargeError
            Raised for one that takes too much memory or processor time.
        """
        return _checked(*await self._work.run("check", content, kind))

    async def check_all(
        self, documents: Mapping[int, tuple[ApiKind, str]]
    ) -> tuple[dict[int, tuple[Content, str]], dict[int, str]]:
        """The same for many, some in each process, and the mistakes of those that have any."""
        found: dict[int, tuple[Content, str]] = {}
        mistakes: dict[int, str] = {}
        for part in _parts(documents):
            texts = json.dumps([documents[number] for number in part]).encode()
            answers = json.loads((await self._work.run("check-all", texts)).body)
            for number, (head, body) in zip(part, answers, strict=True):
                if said := head.get("mistakes"):
                    mistakes[number] = "; ".join(said)
                else:
                    found[number] = _checked(head, body.encode())
        return found, mistakes

    async def put(
        self,
        actor: Actor,
        key: EntityKey,
        version: str,
        read: Callable[[], Awaitable[bytes]],
        *,
        if_match: str | None,
        kind: ApiKind | None = None,
        replace: bool = False,
    ) -> tuple[VersionOut, bool]:
        """Publish a version; returns it, and whether it is new.

        Parameters
        ----------
        read
            Reads the document, when it is its turn: requests that wait hold none.
        replace
            Whatever document the version has.

        Raises
        ------
        PreconditionRequiredError
            Raised when the version has another document, and neither `if_match` nor `replace` is
            given.
        ChangedMeanwhileError
            Raised when `if_match` is not the current document.
        """
        async with self._database.connect() as connection:
            await require_owned(connection, actor, key, lock=False)
        async with self._work.turn_of(actor):
            checked, _ = await self.check(await read(), kind)
            return await self._store(actor, key, version, checked, if_match, replace)

    async def _store(
        self,
        actor: Actor,
        key: EntityKey,
        version: str,
        checked: Content,
        if_match: str | None,
        replace: bool,
    ) -> tuple[VersionOut, bool]:
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            found = await get_head(connection, stored.id, version)
            _check_replacement(found, checked, if_match, replace)
            before = found and bytes.fromhex(found.sha256)
            if before != checked.sha256:
                replaced = [before] if before else []
                await self.publish(connection, {(stored.id, version): checked}, replaced)
                await add_event(
                    connection,
                    actor,
                    "version.update" if found else "version.create",
                    f"{key}/versions/{version}",
                    {"sha256": {"before": before and before.hex(), "after": checked.sha256.hex()}},
                )
            written = await get_head(connection, stored.id, version)
        assert written is not None
        return written, found is None

    async def publish(
        self,
        connection: AsyncConnection,
        documents: Mapping[tuple[uuid.UUID, str], Content],
        replaced: Collection[bytes],
    ) -> None:
        """Make checked documents these versions, by entity and name, in place of others."""
        if self._announces:
            await announce(connection, documents)
        await put_versions(connection, documents)
        await delete_unused_contents(connection, replaced)

    async def delete(self, actor: Actor, key: EntityKey, version: str, *, if_match: str) -> None:
        """Remove a version."""
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            found = await get_head(connection, stored.id, version)
            if found is None:
                raise NotFoundError(f"{key} has no version '{version}'")
            check_version(if_match, version_tag(found))
            await delete_version(connection, stored.id, version)
            await delete_unused_contents(connection, [bytes.fromhex(found.sha256)])
            await add_event(
                connection,
                actor,
                "version.delete",
                f"{key}/versions/{version}",
                {"sha256": found.sha256},
            )


def _checked(head: dict[str, Any], body: bytes) -> tuple[Content, str]:
    found = head | {"sha256": bytes.fromhex(head["sha256"]), "document": body.decode()}
    found |= {"api_kind": head["kind"], "openapi": head["language"]}
    return Content(**{name: found[name] for name in Content._fields}), found["version"]


def _parts(documents: Mapping[int, tuple[ApiKind, str]]) -> Iterator[list[int]]:
    """The documents' numbers, in parts that a process checks well within its time."""
    part, size = list[int](), 0
    for number, (_, text) in documents.items():
        if part and size + len(text) > _CHECKED_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(number)
        size += len(text)
    if part:
        yield part


def _check_replacement(
    found: VersionOut | None, checked: Content, if_match: str | None, replace: bool
) -> None:
    if found is None:
        if if_match is not None:
            raise ChangedMeanwhileError(
                f"If-Match: should be left out for a version that is not there (got {if_match}). "
                "With ?replace=true, it may be there or not."
            )
        return
    if if_match is not None:
        check_version(if_match, version_tag(found))
    elif not replace and bytes.fromhex(found.sha256) != checked.sha256:
        raise PreconditionRequiredError(
            f"If-Match: should name the document to be replaced, {version_tag(found)} (got "
            "nothing). Name it, or ask with ?replace=true."
        )
