"""Who sends a request, by a browser's cookies, an access token or an API key."""

from starlette.requests import Request
from starlette.responses import Response

from app.config import Config
from app.constants import ROTATION_LEEWAY_SECONDS
from app.exceptions import NotSignedInError
from app.http.cookies import SessionCookies, check_csrf, is_safe
from app.models.access import Actor
from app.services.api_keys import KEY_MARK, ApiKeys
from app.services.limits import Verdict
from app.services.sessions import Sessions
from app.storage.generations import Lookup

Identity = tuple[Actor, Verdict | None]
"""A sender, and the verdict on its request if that was charged already."""

_DESTINATIONS = ("document", "empty")
"""What counts as a request of the session's user: pages, and what their scripts fetch. A browser
also requests the images in a text, and their address may be any of the portal's."""


class Identities:
    """Identifies senders. An `Authorization` header comes before a browser's cookies."""

    def __init__(
        self, config: Config, sessions: Sessions, api_keys: ApiKeys, cookies: SessionCookies
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._api_keys = api_keys
        self._cookies = cookies

    async def identify(
        self, request: Request, *, is_charged: bool = False, lookup: Lookup | None = None
    ) -> Identity | None:
        """The sender; None without credentials, and for a browser whose session has ended.

        Parameters
        ----------
        is_charged
            Whether to charge the request at once, if that takes no further command.
        lookup
            The generation of a cached response that the request will need, for the same command.

        Raises
        ------
        NotSignedInError
            Raised for an access token or API key that is not valid, or not any more.
        ForbiddenError
            Raised for a change by cookies that does not come from one of the portal's pages.
        UnavailableError
            Raised when a store that knows is away.
        """
        header = request.headers.get("authorization")
        if header is None:
            return await self._identify_browser(request, is_charged, lookup)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedInError("Authorization: should be `Bearer` and a token or an API key")
        if token.startswith(KEY_MARK):
            return await self._api_keys.authenticate(token), None
        return await self._sessions.authenticate(token, is_charged=is_charged, lookup=lookup)

    async def _identify_browser(
        self, request: Request, is_charged: bool, lookup: Lookup | None
    ) -> Identity | None:
        if request.headers.get("sec-fetch-dest", "empty") not in _DESTINATIONS:
            return None
        access = request.cookies.get(self._cookies.access)
        refresh = request.cookies.get(self._cookies.refresh)
        # A change that another site's page makes a browser send costs its user nothing.
        is_charged = is_charged and is_safe(request)
        found = await self._try(access, is_charged, lookup) if access else None
        if found is None and refresh:
            found = await self._renew(request, refresh)
        if found is not None and found[0].session_id is not None and not is_safe(request):
            await check_csrf(request, self._config, found[0].session_id)
        return found

    async def _try(self, access: str, is_charged: bool, lookup: Lookup | None) -> Identity | None:
        try:
            return await self._sessions.authenticate(access, is_charged=is_charged, lookup=lookup)
        except NotSignedInError:
            return None

    async def _renew(self, request: Request, refresh: str) -> Identity | None:
        """Go on with a session whose access token has expired; the response has new cookies."""
        carrier = Response()
        try:
            tokens = await self._sessions.refresh(refresh, leeway_seconds=ROTATION_LEEWAY_SECONDS)
            # Also if a store goes away now: the token that the browser holds is used up.
            self._cookies.attach(carrier, tokens)
            return await self._sessions.authenticate(tokens.access)
        except NotSignedInError:
            carrier = Response()
            self._cookies.clear(carrier)
            return None
        finally:
            cookies = [header for header in carrier.raw_headers if header[0] == b"set-cookie"]
            request.state.response_headers.extend(cookies)
