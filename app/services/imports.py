"""Import of catalog-info.yaml: all of a file, or nothing of it."""

import asyncio

from pydantic import TypeAdapter, ValidationError

from app.constants import MAX_IMPORT_BYTES
from app.exceptions import ConflictError, InvalidRequestError, TooLargeError
from app.models.access import Actor
from app.models.api_documents import VersionName
from app.models.imports import ImportResult
from app.services.api_uploads import ApiUploads
from app.services.cache import ReadCache
from app.services.catalog_info import CatalogInfo, CatalogInfoError, parse_catalog_info
from app.services.catalogue import LISTS
from app.services.descriptors import Descriptor
from app.services.document_work import DocumentWork
from app.services.import_entities import Definitions, match, refuse, write
from app.services.import_organisation import bring
from app.services.import_outcome import Outcome
from app.storage.actor_cache import ActorCache
from app.storage.audit import add_events
from app.storage.database import Database

_NEWEST = "main"
"""The version of a document of a kind that names none: the one which is replaced each time."""
_VERSION = TypeAdapter[str](VersionName)


class Imports:
    """Brings entities, their relations and API documents, teams and people from a file."""

    def __init__(
        self,
        database: Database,
        cache: ReadCache,
        work: DocumentWork,
        uploads: ApiUploads,
        actors: ActorCache,
    ) -> None:
        self._database = database
        self._cache = cache
        self._work = work
        self._uploads = uploads
        self._actors = actors

    async def run(self, actor: Actor, content: bytes, *, dry_run: bool = False) -> ImportResult:
        """Import a file in one transaction; what is there as it says stays untouched.

        Parameters
        ----------
        dry_run
            Do everything and take it back, to tell what an import would do.

        Raises
        ------
        InvalidRequestError
            Raised with every mistake of every document.
        ForbiddenError
            Raised when one entity is not for the actor to change.
        ConflictError
            Raised when one of the entities was made by somebody else meanwhile.
        """
        async with self._work.turn_of(actor):
            info = await self._parse(content)
            definitions = await self._check_definitions(info.entities)
        outcome = Outcome(warnings=[*info.warnings])
        try:
            async with self._database.connect() as connection:
                await bring(connection, self._actors, actor, info, outcome)
                items = await match(connection, actor, info.entities, outcome)
                await write(connection, items, definitions, outcome, self._uploads)
                await add_events(connection, actor, outcome.events)
                if dry_run:
                    await connection.rollback()
        except ConflictError as error:
            raise ConflictError("the catalogue was changed meanwhile. Import it again") from error
        changed = [item for item in items if outcome.has_changed(item.descriptor.number)]
        if changed and not dry_run:
            await self._cache.forget(LISTS, *(f"entity:{item.key}" for item in changed))
        return outcome.result(info, dry_run=dry_run)

    async def _parse(self, content: bytes) -> CatalogInfo:
        if len(content) > MAX_IMPORT_BYTES:
            raise TooLargeError(f"the file should have at most {MAX_IMPORT_BYTES} bytes")
        try:
            text = content.decode("utf-8-sig")
            return await asyncio.to_thread(parse_catalog_info, text)
        except UnicodeDecodeError as error:
            raise InvalidRequestError("the file should be text in UTF-8") from error
        except CatalogInfoError as error:
            raise refuse(error.mistakes) from error

    async def _check_definitions(self, descriptors: list[Descriptor]) -> Definitions:
        given = {one.number: one.definition for one in descriptors if one.definition is not None}
        checked, mistakes = await self._uploads.check_all(given)
        found = {n: (content, name or _NEWEST) for n, (content, name) in checked.items()}
        for number, (_, version) in found.items():
            try:
                _VERSION.validate_python(version)
            except ValidationError:
                rule = "should be letters and digits, with -, _, . and + between"
                mistakes[number] = f"info.version: {rule}"
        if mistakes:
            raise refuse([f"document {n}: spec.definition: {said}" for n, said in mistakes.items()])
        return found
