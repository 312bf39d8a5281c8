"""What handlers ask for, by type."""

from typing import Annotated

from fastapi import Depends, Request

from app.config import Config
from app.cookies import SessionCookies
from app.services.accounts import Accounts
from app.services.api_keys import ApiKeys
from app.services.audit import Audit
from app.services.catalogue import Catalogue
from app.services.health import HealthService
from app.services.sessions import Sessions
from app.services.teams import Teams


def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


def _health(request: Request) -> HealthService:
    health: HealthService = request.app.state.health
    return health


def _config(request: Request) -> Config:
    config: Config = request.app.state.config
    return config


def _cookies(request: Request) -> SessionCookies:
    cookies: SessionCookies = request.app.state.cookies
    return cookies


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _api_keys(request: Request) -> ApiKeys:
    api_keys: ApiKeys = request.app.state.api_keys
    return api_keys


def _audit(request: Request) -> Audit:
    audit: Audit = request.app.state.audit
    return audit


def _teams(request: Request) -> Teams:
    teams: Teams = request.app.state.teams
    return teams


AuditDep = Annotated[Audit, Depends(_audit)]
TeamsDep = Annotated[Teams, Depends(_teams)]
AccountsDep = Annotated[Accounts, Depends(_accounts)]
ApiKeysDep = Annotated[ApiKeys, Depends(_api_keys)]
ConfigDep = Annotated[Config, Depends(_config)]
CookiesDep = Annotated[SessionCookies, Depends(_cookies)]
SessionsDep = Annotated[Sessions, Depends(_sessions)]
CatalogueDep = Annotated[Catalogue, Depends(_catalogue)]
HealthDep = Annotated[HealthService, Depends(_health)]
