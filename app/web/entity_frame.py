"""What all pages of an entity show: the entity, and what its tabs count."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from pydantic import TypeAdapter, ValidationError

from app.exceptions import ForbiddenError, NotFoundError
from app.http.access import MaybeActorDep
from app.http.dependencies import ApiDocumentsDep, CatalogueDep, PagesDep
from app.models.access import Actor
from app.models.api_documents import VersionOut
from app.models.entities import EntityKey, EntityOut
from app.models.pages import PageHead
from app.web.links import entity_path

_KEY = TypeAdapter(EntityKey)


@dataclass(frozen=True)
class Frame:
    """An entity, its versions and pages, and who looks at it."""

    key: EntityKey
    entity: EntityOut
    etag: str
    versions: list[VersionOut]
    pages: list[PageHead]
    actor: Actor | None

    @property
    def path(self) -> str:
        return entity_path(self.key.kind, self.key.namespace, self.key.name)

    @property
    def may_change(self) -> bool:
        return self.actor is not None and self.actor.may_change(self.entity.owner)

    def document_url(self, version: str) -> str:
        """Where the API gives that version's document."""
        return f"/api/v1{self.path}/versions/{version}"

    def context(self) -> dict[str, Any]:
        """What templates/catalogue/frame.html wants."""
        return {
            "area": "catalogue",
            "entity": self.entity,
            "versions": self.versions,
            "pages": self.pages,
            "base_path": self.path,
            "may_change": self.may_change,
        }


def entity_key(kind: str, namespace: str, name: str) -> EntityKey:
    """The key an address names.

    Raises
    ------
    NotFoundError
        Raised when nothing can have such a key.
    """
    try:
        return _KEY.validate_python({"kind": kind, "namespace": namespace, "name": name})
    except ValidationError as error:
        raise NotFoundError(f"there is no {kind} '{namespace}/{name}'") from error


KeyDep = Annotated[EntityKey, Depends(entity_key)]


async def _frame(
    key: KeyDep,
    actor: MaybeActorDep,
    catalogue: CatalogueDep,
    documents: ApiDocumentsDep,
    pages: PagesDep,
) -> Frame:
    snapshot = await catalogue.read(key)
    return Frame(
        key=key,
        entity=EntityOut.model_validate_json(snapshot.body),
        etag=snapshot.etag,
        versions=(await documents.list(key)).items if key.kind == "api" else [],
        pages=(await pages.list(key)).items,
        actor=actor,
    )


FrameDep = Annotated[Frame, Depends(_frame)]


async def _owned_frame(frame: FrameDep) -> Frame:
    if not frame.may_change:
        raise ForbiddenError(f"only members of the team '{frame.entity.owner}' may do this")
    return frame


OwnedFrameDep = Annotated[Frame, Depends(_owned_frame)]
"""For pages with forms, which are shown only to those who may send them."""
