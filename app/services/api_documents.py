"""Versions of OpenAPI documents, and what changed between two."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from pydantic import TypeAdapter

from app.exceptions import ChangedMeanwhileError, NotFoundError, PreconditionRequiredError
from app.models.access import Actor
from app.models.api_documents import ApiDiff, VersionList, VersionOut
from app.models.entities import EntityKey
from app.models.version_order import version_rank
from app.openapi.outline import Outline, Part
from app.request_context import client_address
from app.services.cache import ReadCache, Snapshot
from app.services.catalogue import snapshot
from app.services.document_work import DocumentWork
from app.services.entity_rules import check_owner, check_version, lock_owned, require_entity
from app.storage.api_documents import (
    Content,
    delete_unused_contents,
    delete_version,
    get_document,
    get_head,
    list_versions,
    put_version,
)
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.webhooks import announce

_CHECKED_CHARACTERS = 300_000
"""Of the documents that one process checks, which is some seconds' work."""

_IMMUTABLE = "documents"
"""Scope of cached responses that never change: their names contain the documents' digests."""
_OUTLINE = TypeAdapter(Outline)
_PART = TypeAdapter(Part)


def version_tag(version: VersionOut) -> str:
    """A version's ETag, the same for the same document."""
    return f'"{version.sha256[:32]}"'


class ApiDocuments:
    """Documents of interfaces, each stored once however often it is uploaded."""

    def __init__(self, database: Database, cache: ReadCache, work: DocumentWork) -> None:
        self._database = database
        self._cache = cache
        self._work = work

    async def list(self, key: EntityKey) -> VersionList:
        """An entity's versions, the highest first."""
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            versions = await list_versions(connection, stored.id)
        versions.sort(key=lambda item: version_rank(item.version), reverse=True)
        return VersionList(items=versions)

    async def get_head(self, key: EntityKey, version: str) -> VersionOut:
        """A version without its document.

        Raises
        ------
        NotFoundError
            Raised when the entity or the version does not exist.
        """
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            found = await get_head(connection, stored.id, version)
        if found is None:
            raise NotFoundError(f"{key} has no version '{version}'")
        return found

    async def read(self, key: EntityKey, version: str, *, original: bool = False) -> Snapshot:
        """A version's document as JSON; those who ask at once share it.

        Parameters
        ----------
        original
            As it was uploaded, if it had to be converted to OpenAPI 3.
        """
        head = await self.get_head(key, version)

        async def load() -> Snapshot:
            return Snapshot((await self._document(head, original)).encode(), version_tag(head))

        name = f"{'original' if original else 'document'}:{head.sha256}"
        return await self._cache.read(name, _IMMUTABLE, load)

    async def _document(self, head: VersionOut, original: bool = False) -> str:
        async with self._database.connect() as connection:
            found = await get_document(connection, bytes.fromhex(head.sha256), original=original)
        if found is None:
            raise NotFoundError(f"the version '{head.version}' was replaced just now")
        return found

    async def outline(self, actor: Actor | None, key: EntityKey, version: str) -> Outline:
        """What there is in a version, cached: a document is read once.

        Raises
        ------
        TooLargeError
            Raised for a document that takes too much memory or processor time.
        UnavailableError
            Raised while others read or compare.
        """
        head = await self.get_head(key, version)

        async def load() -> Snapshot:
            document = (await self._document(head)).encode()
            return Snapshot((await self._work.run("outline", document)).body, head.sha256)

        found = await self._work_once(actor, f"index:{head.sha256}", load)
        return _OUTLINE.validate_json(found.body)

    async def part(
        self,
        actor: Actor | None,
        key: EntityKey,
        version: str,
        kind: Literal["operation", "schema"],
        name: str,
    ) -> Part:
        """One operation or schema of a version, cached as well.

        Raises
        ------
        NotFoundError
            Raised when the document has none of that name.
        """
        head = await self.get_head(key, version)

        async def load() -> Snapshot:
            wanted = f"[{json.dumps(kind)},{json.dumps(name)},{await self._document(head)}]"
            return Snapshot((await self._work.run("part", wanted.encode())).body, head.sha256)

        found = _PART.validate_json(
            (await self._work_once(actor, f"{kind}:{head.sha256}:{name}", load)).body
        )
        if not found.exists:
            raise NotFoundError(f"version '{version}' has no {kind} '{name}'")
        return found

    async def diff(self, actor: Actor | None, key: EntityKey, older: str, newer: str) -> ApiDiff:
        """What changed from one version to another."""
        return ApiDiff.model_validate_json((await self.read_diff(actor, key, older, newer)).body)

    async def read_diff(
        self, actor: Actor | None, key: EntityKey, older: str, newer: str
    ) -> Snapshot:
        """The same as JSON, cached: two documents are compared once.

        Raises
        ------
        TooLargeError
            Raised for documents that take too much memory or processor time.
        UnavailableError
            Raised while others read or compare.
        """
        old, new = await self.get_head(key, older), await self.get_head(key, newer)

        async def load() -> Snapshot:
            found = await self._compare(*(bytes.fromhex(head.sha256) for head in (old, new)))
            compatible = not found["breaking"]["changes"]
            diff = {"from_version": older, "to_version": newer, "compatible": compatible, **found}
            return snapshot(ApiDiff.model_validate(diff))

        return await self._work_once(actor, f"diff:{old.sha256}:{new.sha256}:{older}:{newer}", load)

    async def _compare(self, old: bytes, new: bytes) -> dict[str, Any]:
        documents: list[str] = []
        async with self._database.connect() as connection:
            for sha256 in (old, new):
                if (found := await get_document(connection, sha256)) is None:
                    raise NotFoundError("the document was replaced just now")
                documents.append(found)
        return json.loads((await self._work.run("diff", f"[{','.join(documents)}]".encode())).body)

    async def compare(self, old: bytes, new: bytes) -> dict[str, Any]:
        """What differs between two documents that are named by their digests.

        Raises as `read_diff` does.
        """
        async with self._work.turn("webhooks"):
            return await self._compare(old, new)

    async def _work_once(
        self, actor: Actor | None, name: str, work: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        async def load() -> Snapshot:
            async with self.turn(actor):
                return await work()

        return await self._cache.read(name, _IMMUTABLE, load)

    @asynccontextmanager
    async def turn(self, actor: Actor | None) -> AsyncIterator[None]:
        """Wait to be the only one who works on documents; what is uploaded is read in it.

        Raises
        ------
        UnavailableError
            Raised when too many wait.
        """
        async with self._work.turn(str(actor.user_id) if actor else client_address.get()):
            yield

    async def check(self, content: bytes) -> tuple[Content, str]:
        """An uploaded document after its check in a `turn`, and the version that it names.

        Raises
        ------
        InvalidRequestError
            Raised with the mistakes of a document that is not OpenAPI.
        TooLargeError
            Raised for one that takes too much memory or processor time.
        """
        return _checked(*await self._work.run("check", content))

    async def check_all(
        self, documents: Mapping[int, str]
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
    ) -> tuple[VersionOut, bool]:
        """Publish a version; returns it, and whether it is new.

        Parameters
        ----------
        read
            Reads the document, when it is its turn: requests that wait hold none.

        Raises
        ------
        PreconditionRequiredError
            Raised when the version has another document and `if_match` is None.
        ChangedMeanwhileError
            Raised when `if_match` is not the current document.
        """
        async with self._database.connect() as connection:
            check_owner(actor, (await require_entity(connection, key)).entity.owner)
        async with self.turn(actor):
            checked, _ = await self.check(await read())
            return await self._store(actor, key, version, checked, if_match)

    async def _store(
        self, actor: Actor, key: EntityKey, version: str, checked: Content, if_match: str | None
    ) -> tuple[VersionOut, bool]:
        async with self._database.connect() as connection:
            stored = await lock_owned(connection, actor, key)
            found = await get_head(connection, stored.id, version)
            _check_replacement(found, checked, if_match)
            before = found and bytes.fromhex(found.sha256)
            if before != checked.sha256:
                await announce(connection, {(stored.id, version): checked.sha256})
                await put_version(connection, stored.id, version, checked)
                await delete_unused_contents(connection, [before] if before else [])
                await add_event(
                    connection,
                    actor=actor,
                    action="version.update" if found else "version.create",
                    target=f"{key}/versions/{version}",
                    detail={
                        "sha256": {"before": before and before.hex(), "after": checked.sha256.hex()}
                    },
                )
            written = await get_head(connection, stored.id, version)
        assert written is not None
        return written, found is None

    async def delete(self, actor: Actor, key: EntityKey, version: str, *, if_match: str) -> None:
        """Remove a version."""
        async with self._database.connect() as connection:
            stored = await lock_owned(connection, actor, key)
            found = await get_head(connection, stored.id, version)
            if found is None:
                raise NotFoundError(f"{key} has no version '{version}'")
            check_version(if_match, version_tag(found))
            await delete_version(connection, stored.id, version)
            await delete_unused_contents(connection, [bytes.fromhex(found.sha256)])
            await add_event(
                connection,
                actor=actor,
                action="version.delete",
                target=f"{key}/versions/{version}",
                detail={"sha256": found.sha256},
            )


def _checked(head: dict[str, Any], body: bytes) -> tuple[Content, str]:
    found = head | {"sha256": bytes.fromhex(head["sha256"]), "document": body.decode()}
    return Content(**{name: found[name] for name in Content._fields}), found["version"]


def _parts(documents: Mapping[int, str]) -> Iterator[list[int]]:
    """The documents' numbers, in parts that a process checks well within its time."""
    part, size = list[int](), 0
    for number, text in documents.items():
        if part and size + len(text) > _CHECKED_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(number)
        size += len(text)
    if part:
        yield part


def _check_replacement(found: VersionOut | None, checked: Content, if_match: str | None) -> None:
    if found is None:
        if if_match is not None:
            raise ChangedMeanwhileError("If-Match: there is no such version any more")
        return
    if if_match is not None:
        check_version(if_match, version_tag(found))
    elif bytes.fromhex(found.sha256) != checked.sha256:
        raise PreconditionRequiredError(
            f"If-Match: should name the document to be replaced; it is {version_tag(found)} now"
        )
