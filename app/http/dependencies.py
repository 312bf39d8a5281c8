"""The services that requests need, and FastAPI dependencies that find them by type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request

from app.config import Config
from app.http.cookies import SessionCookies
from app.http.identities import Identities
from app.metrics import Metrics
from app.models.entities import EntityKey
from app.models.texts import Kind, Name, Namespace
from app.services.accounts import Accounts
from app.services.api_documents import ApiDocuments
from app.services.api_keys import ApiKeys
from app.services.api_uploads import ApiUploads
from app.services.audit import Audit
from app.services.catalogue import Catalogue
from app.services.health import HealthService
from app.services.imports import Imports
from app.services.limits import Limits
from app.services.pages import Pages
from app.services.password_links import PasswordLinks
from app.services.password_sign_in import PasswordSignIn
from app.services.provider_sign_in import ProviderSignIn
from app.services.relations import Relations
from app.services.search import Search
from app.services.sessions import Sessions
from app.services.teams import Teams
from app.services.webhooks import Webhooks

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that a request may use; `app.composition` makes it."""

    config: Config
    metrics: Metrics
    cookies: SessionCookies
    identities: Identities
    limits: Limits
    sessions: Sessions
    accounts: Accounts
    password_sign_in: PasswordSignIn
    password_links: PasswordLinks
    provider_sign_in: ProviderSignIn
    api_keys: ApiKeys
    teams: Teams
    audit: Audit
    catalogue: Catalogue
    relations: Relations
    pages: Pages
    api_documents: ApiDocuments
    api_uploads: ApiUploads
    search: Search
    imports: Imports
    health: HealthService
    webhooks: Webhooks


def own_url(request: Request, path: str) -> str:
    """The whole address of a path of this portal, as the client reaches it."""
    return f"{request.url.scheme}://{request.url.netloc}{path}"


def services_of(request: Request) -> Services:
    """The services of the application that the request was sent to."""
    services: Services = request.app.state.services
    return services


def _service(pick: Callable[[Services], T]) -> Callable[[Request], Awaitable[T]]:
    # A coroutine, because FastAPI would call a plain function in a thread.
    async def find(request: Request) -> T:
        return pick(services_of(request))

    return find


AccountsDep = Annotated[Accounts, Depends(_service(lambda services: services.accounts))]
ApiDocumentsDep = Annotated[
    ApiDocuments, Depends(_service(lambda services: services.api_documents))
]
ApiKeysDep = Annotated[ApiKeys, Depends(_service(lambda services: services.api_keys))]
ApiUploadsDep = Annotated[ApiUploads, Depends(_service(lambda services: services.api_uploads))]
AuditDep = Annotated[Audit, Depends(_service(lambda services: services.audit))]
CatalogueDep = Annotated[Catalogue, Depends(_service(lambda services: services.catalogue))]
ConfigDep = Annotated[Config, Depends(_service(lambda services: services.config))]
CookiesDep = Annotated[SessionCookies, Depends(_service(lambda services: services.cookies))]
HealthDep = Annotated[HealthService, Depends(_service(lambda services: services.health))]
ImportsDep = Annotated[Imports, Depends(_service(lambda services: services.imports))]
MetricsDep = Annotated[Metrics, Depends(_service(lambda services: services.metrics))]
PagesDep = Annotated[Pages, Depends(_service(lambda services: services.pages))]
PasswordLinksDep = Annotated[
    PasswordLinks, Depends(_service(lambda services: services.password_links))
]
PasswordSignInDep = Annotated[
    PasswordSignIn, Depends(_service(lambda services: services.password_sign_in))
]
ProviderSignInDep = Annotated[
    ProviderSignIn, Depends(_service(lambda services: services.provider_sign_in))
]
RelationsDep = Annotated[Relations, Depends(_service(lambda services: services.relations))]
SearchDep = Annotated[Search, Depends(_service(lambda services: services.search))]
SessionsDep = Annotated[Sessions, Depends(_service(lambda services: services.sessions))]
TeamsDep = Annotated[Teams, Depends(_service(lambda services: services.teams))]
WebhooksDep = Annotated[Webhooks, Depends(_service(lambda services: services.webhooks))]


async def _entity_key(
    kind: Annotated[Kind, Path(examples=["api"])],
    namespace: Annotated[Namespace, Path(examples=["default"])],
    name: Annotated[Name, Path(examples=["checkout-api"])],
) -> EntityKey:
    return EntityKey(kind=kind, namespace=namespace, name=name)


EntityKeyDep = Annotated[EntityKey, Depends(_entity_key)]
