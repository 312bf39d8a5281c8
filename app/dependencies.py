"""What handlers ask for, by type."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.models.entities import EntityKey
from app.models.texts import Kind, Name, Namespace
from app.services.api_documents import ApiDocuments
from app.services.catalogue import Catalogue
from app.services.health import HealthService
from app.services.imports import Imports
from app.services.pages import Pages
from app.services.relations import Relations
from app.services.search import Search


class _Service:
    """One of the services that `app.main` has put on the application's state."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, request: Request) -> Any:
        return getattr(request.app.state, self._name)


async def _entity_key(kind: Kind, namespace: Namespace, name: Name) -> EntityKey:
    return EntityKey(kind=kind, namespace=namespace, name=name)


ApiDocumentsDep = Annotated[ApiDocuments, Depends(_Service("api_documents"))]
CatalogueDep = Annotated[Catalogue, Depends(_Service("catalogue"))]
EntityKeyDep = Annotated[EntityKey, Depends(_entity_key)]
HealthDep = Annotated[HealthService, Depends(_Service("health"))]
ImportsDep = Annotated[Imports, Depends(_Service("imports"))]
PagesDep = Annotated[Pages, Depends(_Service("pages"))]
RelationsDep = Annotated[Relations, Depends(_Service("relations"))]
SearchDep = Annotated[Search, Depends(_Service("search"))]
