"""Versions of OpenAPI documents, and what changed between two."""

from typing import Any

from app.exceptions import ChangedMeanwhileError, NotFoundError, PreconditionRequiredError
from app.models.access import Actor
from app.models.api_documents import ApiChange, ApiDiff, VersionList, VersionOut
from app.models.entities import EntityKey
from app.services.cache import ReadCache, Snapshot
from app.services.catalogue import snapshot
from app.services.document_work import DocumentWork
from app.services.entity_rules import check_owner, check_version, lock_owned, require_entity
from app.storage.api_documents import (
    Content,
    StoredVersion,
    delete_unused_contents,
    delete_version,
    get_version,
    list_versions,
    put_version,
)
from app.storage.audit import add_event
from app.storage.database import Database

_MAX_CHANGES = 1000
"""A person reads them, and two unrelated documents differ in everything."""


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
        """An entity's versions, the newest upload first."""
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            return VersionList(items=await list_versions(connection, stored.id))

    async def get(self, key: EntityKey, version: str) -> StoredVersion:
        """A version with its document.

        Raises
        ------
        NotFoundError
            Raised when the entity or the version does not exist.
        """
        async with self._database.connect() as connection:
            stored = await require_entity(connection, key)
            found = await get_version(connection, stored.id, version)
        if found is None:
            raise NotFoundError(f"{key} has no version '{version}'")
        return found

    async def diff(self, key: EntityKey, older: str, newer: str) -> ApiDiff:
        """What changed from one version to another."""
        return ApiDiff.model_validate_json((await self.read_diff(key, older, newer)).body)

    async def read_diff(self, key: EntityKey, older: str, newer: str) -> Snapshot:
        """The same as JSON, cached: two documents are compared once."""
        old, new = await self.get(key, older), await self.get(key, newer)

        async def load() -> Snapshot:
            both = f"[{old.document},{new.document}]".encode()
            answer = await self._work.run("diff", both)
            return snapshot(_diff(older, newer, answer["changes"]))

        name = f"diff:{old.head.sha256}:{new.head.sha256}:{older}:{newer}"
        return await self._cache.read(name, "diffs", load)

    async def check(self, content: bytes) -> tuple[Content, str]:
        """An uploaded document after its check, and the version that it names.

        Raises
        ------
        InvalidRequestError
            Raised with the mistakes of a document that is not OpenAPI.
        """
        found = await self._work.run("check", content)
        found["sha256"] = bytes.fromhex(found["sha256"])
        return Content(**{name: found[name] for name in Content._fields}), found["version"]

    async def put(
        self, actor: Actor, key: EntityKey, version: str, content: bytes, *, if_match: str | None
    ) -> tuple[VersionOut, bool]:
        """Publish a version; returns it, and whether it is new.

        Raises
        ------
        PreconditionRequiredError
            Raised when the version has another document and `if_match` is None.
        ChangedMeanwhileError
            Raised when `if_match` is not the current document.
        """
        async with self._database.connect() as connection:
            check_owner(actor, (await require_entity(connection, key)).entity.owner)
        checked, _ = await self.check(content)
        async with self._database.connect() as connection:
            stored = await lock_owned(connection, actor, key)
            found = await get_version(connection, stored.id, version)
            _check_replacement(found, checked, if_match)
            before = found and bytes.fromhex(found.head.sha256)
            if before != checked.sha256:
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
            written = await get_version(connection, stored.id, version)
        assert written is not None
        return written.head, found is None

    async def delete(self, actor: Actor, key: EntityKey, version: str, *, if_match: str) -> None:
        """Remove a version."""
        async with self._database.connect() as connection:
            stored = await lock_owned(connection, actor, key)
            found = await get_version(connection, stored.id, version)
            if found is None:
                raise NotFoundError(f"{key} has no version '{version}'")
            check_version(if_match, version_tag(found.head))
            await delete_version(connection, stored.id, version)
            await delete_unused_contents(connection, [bytes.fromhex(found.head.sha256)])
            await add_event(
                connection,
                actor=actor,
                action="version.delete",
                target=f"{key}/versions/{version}",
                detail={"sha256": found.head.sha256},
            )


def _check_replacement(found: StoredVersion | None, checked: Content, if_match: str | None) -> None:
    if found is None:
        if if_match is not None:
            raise ChangedMeanwhileError("If-Match: there is no such version any more")
        return
    if if_match is not None:
        check_version(if_match, version_tag(found.head))
    elif bytes.fromhex(found.head.sha256) != checked.sha256:
        raise PreconditionRequiredError(
            "If-Match: should name the document to be replaced; "
            f"it is {version_tag(found.head)} now"
        )


def _diff(older: str, newer: str, found: list[dict[str, Any]]) -> ApiDiff:
    changes = [ApiChange.model_validate(change) for change in found]
    breaking = [change for change in changes if change.breaking]
    others = [change for change in changes if not change.breaking]
    return ApiDiff(
        from_version=older,
        to_version=newer,
        compatible=not breaking,
        breaking=breaking[:_MAX_CHANGES],
        non_breaking=others[:_MAX_CHANGES],
        truncated=max(len(breaking), len(others)) > _MAX_CHANGES,
    )
