"""Relations between entities."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.http.access import Access, ActorDep, access
from app.http.conditional import respond
from app.http.dependencies import EntityKeyDep, RelationsDep
from app.http.responses import CATALOGUE_ERRORS, CONDITIONAL_READ, problems
from app.models import relations as models
from app.models.access import Scope
from app.models.entities import EntityKey
from app.models.relations import RelationType
from app.models.texts import Kind, Name, Namespace

router = APIRouter(
    prefix="/api/v1/entities/{kind}/{namespace}/{name}/relations",
    tags=["relations"],
    responses=problems(*CATALOGUE_ERRORS),
)

_READ = access(Access.READ, scope=Scope.CATALOGUE_READ, responses=CONDITIONAL_READ)
_WRITE = access(Access.MEMBER, scope=Scope.CATALOGUE_WRITE)
_Type = Annotated[RelationType, Path(examples=["part_of"])]
_TargetKind = Annotated[Kind, Path(examples=["system"])]
_TargetNamespace = Annotated[Namespace, Path(examples=["default"])]
_TargetName = Annotated[Name, Path(examples=["checkout"])]
_TARGET = "/{type}/{target_kind}/{target_namespace}/{target_name}"


@router.get("", response_model=models.Relations, **_READ)
async def list_relations(request: Request, relations: RelationsDep, key: EntityKeyDep) -> Response:
    """The relations from and to an entity."""
    return respond(request, await relations.read(key))


@router.put(_TARGET, status_code=204, **_WRITE)
async def add_relation(
    relations: RelationsDep,
    actor: ActorDep,
    key: EntityKeyDep,
    type: _Type,
    target_kind: _TargetKind,
    target_namespace: _TargetNamespace,
    target_name: _TargetName,
) -> None:
    """Add a relation from an entity that your team owns; one that exists stays."""
    target = EntityKey(kind=target_kind, namespace=target_namespace, name=target_name)
    await relations.add(actor, key, type, target)


@router.delete(_TARGET, status_code=204, **_WRITE)
async def remove_relation(
    relations: RelationsDep,
    actor: ActorDep,
    key: EntityKeyDep,
    type: _Type,
    target_kind: _TargetKind,
    target_namespace: _TargetNamespace,
    target_name: _TargetName,
) -> None:
    """Remove a relation from an entity that your team owns."""
    target = EntityKey(kind=target_kind, namespace=target_namespace, name=target_name)
    await relations.remove(actor, key, type, target)
