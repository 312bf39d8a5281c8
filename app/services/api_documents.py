"""Versions of API documents, and what changed between two."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import TypeAdapter

from app.definitions.kinds import KIND_NAMES
from app.exceptions import ConflictError, NotFoundError
from app.models.access import Actor
from app.models.api_documents import ApiDiff, VersionList, VersionOut
from app.models.entities import EntityKey
from app.models.version_order import version_rank
from app.outline import Outline, Part
from app.services.cache import ReadCache, Snapshot
from app.services.catalogue import snapshot
from app.services.document_work import DocumentWork, Work
from app.services.entity_rules import require_entity
from app.storage.api_documents import get_document, get_head, list_versions
from app.storage.database import Database

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

    async def get_openapi_head(self, key: EntityKey, version: str) -> VersionOut:
        """The same, of OpenAPI, which alone is compared and tried out.

        Raises
        ------
        ConflictError
            Raised for one of another kind.
        """
        found = await self.get_head(key, version)
        if found.kind != "openapi":
            rule = f"should be OpenAPI, to be compared or tried out (got {KIND_NAMES[found.kind]})"
            raise ConflictError(f"version '{version}': {rule}")
        return found

    async def read(
        self, key: EntityKey, version: str, *, original: bool = False
    ) -> tuple[Snapshot, str]:
        """A version's document and its media type; those who ask at once share it.

        Parameters
        ----------
        original
            As it was uploaded, if it had to be converted to OpenAPI 3.
        """
        head = await self.get_head(key, version)

        async def load() -> Snapshot:
            return Snapshot((await self._document(head, original)).encode(), version_tag(head))

        name = f"{'original' if original else 'document'}:{head.sha256}"
        is_text = head.kind in ("graphql", "grpc")
        found = await self._cache.read(name, _IMMUTABLE, load)
        return found, "text/plain; charset=utf-8" if is_text else "application/json"

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
        found = await self._work_on(actor, head, f"index:{head.sha256}", "outline")
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
        wanted = f"{json.dumps([kind, name])}\n"
        found = await self._work_on(actor, head, f"{kind}:{head.sha256}:{name}", "part", wanted)
        part = _PART.validate_json(found.body)
        if not part.exists:
            raise NotFoundError(f"version '{version}' has no {kind} '{name}'")
        return part

    async def diff(self, actor: Actor | None, key: EntityKey, older: str, newer: str) -> ApiDiff:
        """What changed from one version to another."""
        return ApiDiff.model_validate_json((await self.read_diff(actor, key, older, newer)).body)

    async def read_diff(
        self, actor: Actor | None, key: EntityKey, older: str, newer: str
    ) -> Snapshot:
        """The same as JSON, cached: two documents are compared once.

        Raises
        ------
        ConflictError
            Raised for documents of another kind than OpenAPI.
        TooLargeError
            Raised for documents that take too much memory or processor time.
        UnavailableError
            Raised while others read or compare.
        """
        old = await self.get_openapi_head(key, older)
        new = await self.get_openapi_head(key, newer)

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

    async def _work_on(
        self, actor: Actor | None, head: VersionOut, name: str, what: Work, wanted: str = ""
    ) -> Snapshot:
        async def load() -> Snapshot:
            content = f"{wanted}{await self._document(head)}".encode()
            return Snapshot((await self._work.run(what, content, head.kind)).body, head.sha256)

        return await self._work_once(actor, name, load)

    async def _work_once(
        self, actor: Actor | None, name: str, work: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        async def load() -> Snapshot:
            async with self._work.turn_of(actor):
                return await work()

        return await self._cache.read(name, _IMMUTABLE, load)
