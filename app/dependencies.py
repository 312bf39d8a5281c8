"""What handlers ask for, by type."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from app.config import Config
from app.cookies import SessionCookies
from app.models.entities import EntityKey
from app.models.texts import Kind, Name, Namespace
from app.services.accounts import Accounts
from app.services.api_documents import ApiDocuments
from app.services.api_keys import ApiKeys
from app.services.audit import Audit
from app.services.catalogue import Catalogue
from app.services.health import HealthService
from app.services.imports import Imports
from app.services.pages import Pages
from app.services.relations import Relations
from app.services.search import Search
from app.services.sessions import Sessions
from app.services.teams import Teams


class _Service:
    """One of the services that `app.main` has put on the application's state."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, request: Request) -> Any:
        return getattr(request.app.state, self._name)


async def _entity_key(
    kind: Annotated[Kind, Path(examples=["api"])],
    namespace: Annotated[Namespace, Path(examples=["default"])],
    name: Annotated[Name, Path(examples=["checkout-api"])],
) -> EntityKey:
    return EntityKey(kind=kind, namespace=namespace, name=name)


EntityKeyDep = Annotated[EntityKey, Depends(_entity_key)]
AccountsDep = Annotated[Accounts, Depends(_Service("accounts"))]
ApiDocumentsDep = Annotated[ApiDocuments, Depends(_Service("api_documents"))]
ApiKeysDep = Annotated[ApiKeys, Depends(_Service("api_keys"))]
AuditDep = Annotated[Audit, Depends(_Service("audit"))]
CatalogueDep = Annotated[Catalogue, Depends(_Service("catalogue"))]
ConfigDep = Annotated[Config, Depends(_Service("config"))]
CookiesDep = Annotated[SessionCookies, Depends(_Service("cookies"))]
HealthDep = Annotated[HealthService, Depends(_Service("health"))]
ImportsDep = Annotated[Imports, Depends(_Service("imports"))]
PagesDep = Annotated[Pages, Depends(_Service("pages"))]
RelationsDep = Annotated[Relations, Depends(_Service("relations"))]
SearchDep = Annotated[Search, Depends(_Service("search"))]
SessionsDep = Annotated[Sessions, Depends(_Service("sessions"))]
TeamsDep = Annotated[Teams, Depends(_Service("teams"))]
