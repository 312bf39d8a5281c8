"""Relations between entities."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.http.access import ActorDep, change_catalogue, read_catalogue
from app.http.conditional import respond
from app.http.dependencies import EntityKeyDep, RelationsDep
from app.http.responses import CATALOGUE_ERRORS, CONDITIONAL_READ, problems
from app.models import relations as models
from app.models.entities import EntityKey
from app.models.relations import RelationType
from app.models.texts import Kind, Name, Namespace

router = APIRouter(
    prefix="/api/v1/entities/{kind}/{namespace}/{name}/relations",
    tags=["relations"],
    responses=problems(*CATALOGUE_ERRORS),
)

_Type = Annotated[RelationType, Path(examples=["part_of"])]
_TARGET = "/{type}/{target_kind}/{target_namespace}/{target_name}"


async def _target(
    target_kind: Annotated[Kind, Path(examples=["system"])],
    target_namespace: Annotated[Namespace, Path(examples=["default"])],
    target_name: Annotated[Name, Path(examples=["checkout"])],
) -> EntityKey:
    return EntityKey(kind=target_kind, namespace=target_namespace, name=target_name)


_Target = Annotated[EntityKey, Depends(_target)]


@router.get("", response_model=models.Relations, **read_catalogue(responses=CONDITIONAL_READ))
async def list_relations(request: Request, relations: RelationsDep, key: EntityKeyDep) -> Response:
    """The relations from and to an entity."""
    return respond(request, await relations.read(key))


@router.put(_TARGET, status_code=204, **change_catalogue())
async def add_relation(
    relations: RelationsDep, actor: ActorDep, key: EntityKeyDep, type: _Type, target: _Target
) -> None:
    """Add a relation from an entity that your team owns; one that exists stays."""
    await relations.add(actor, key, type, target)


@router.delete(_TARGET, status_code=204, **change_catalogue())
async def remove_relation(
    relations: RelationsDep, actor: ActorDep, key: EntityKeyDep, type: _Type, target: _Target
) -> None:
    """Remove a relation from an entity that your team owns."""
    await relations.remove(actor, key, type, target)
