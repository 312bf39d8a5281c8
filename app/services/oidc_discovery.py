"""What an OpenID Connect provider publishes: its addresses and its keys; and requests to it."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpcore
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from app.constants import PROVIDER_METADATA_SECONDS, PROVIDER_TIMEOUT_SECONDS
from app.exceptions import UnavailableError, one_line

_logger = logging.getLogger(__name__)
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
_BASIC, _POST = "client_secret_basic", "client_secret_post"


class Metadata(BaseModel):
    """What the provider says of itself (OpenID Connect Discovery 1.0, section 3)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = [_BASIC]
    authorization_response_iss_parameter_supported: bool = False

    @property
    def addresses(self) -> list[str]:
        """All of the provider's that are used."""
        always = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        maybe = (self.userinfo_endpoint, self.end_session_endpoint)
        return [*always, *(address for address in maybe if address)]

    @property
    def secret_method(self) -> str:
        """How the portal shows its secret."""
        known = self.token_endpoint_auth_methods_supported
        return _POST if _POST in known and _BASIC not in known else _BASIC


class Discovery:
    """Reads both from the provider, and keeps them for an hour."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def metadata(self) -> Metadata:
        """The provider's addresses.

        Raises
        ------
        UnavailableError
            Raised when it does not answer, or not as the provider of that issuer.
        """
        if self._metadata and time.monotonic() < self._metadata[0]:
            return self._metadata[1]
        _, answer = await ask(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            found = Metadata.model_validate(answer)
        except ValidationError as error:
            raise away() from error
        if found.issuer != self._issuer:
            raise UnavailableError("the sign-in provider names another issuer than its setting")
        # An issuer without TLS is one of development.
        schemes = {"https", urlsplit(self._issuer).scheme}
        if any(urlsplit(address).scheme not in schemes for address in found.addresses):
            raise UnavailableError("the sign-in provider names an address that is not encrypted")
        self._metadata = (time.monotonic() + PROVIDER_METADATA_SECONDS, found)
        return found

    async def keys(self, *, anew: bool = False) -> KeySet:
        """The provider's keys; `anew` for those of now.

        Raises
        ------
        UnavailableError
            Raised when it does not answer, or without a key.
        """
        if self._keys and time.monotonic() < self._keys[0] and not anew:
            return self._keys[1]
        _, answer = await ask((await self.metadata()).jwks_uri)
        try:
            found = KeySet.import_key_set(answer)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise away() from error
        self._keys = (time.monotonic() + PROVIDER_METADATA_SECONDS, found)
        return found


async def ask(
    url: str, *, form: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Get it, or post a form: the status below 500 and the JSON of the answer.

    No redirect is followed.

    Raises
    ------
    UnavailableError
        Raised when there is no such answer in time.
    """
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        async with (
            asyncio.timeout(PROVIDER_TIMEOUT_SECONDS),
            httpcore.AsyncConnectionPool() as pool,
        ):
            response = await pool.request(
                "GET" if form is None else "POST",
                url,
                headers=list(sent.items()),
                content=None if form is None else form.encode(),
            )
        found = json.loads(response.content)
    except (TimeoutError, OSError, ValueError, *_FAILURES) as error:
        _logger.warning("the sign-in provider at %s: %s", url, one_line(error))
        raise away() from error
    if response.status >= 500:
        _logger.warning("the sign-in provider at %s: answered %s", url, response.status)
        raise away()
    return response.status, found


def away() -> UnavailableError:
    """The provider does not answer, or not as one."""
    return UnavailableError("the sign-in provider does not answer")
