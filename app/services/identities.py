"""Who sends a request: a browser's cookies, an access token or an API key."""

from starlette.requests import Request
from starlette.responses import Response

from app.access import Actor
from app.config import Config
from app.constants import ROTATION_LEEWAY_SECONDS
from app.cookies import SessionCookies, check_csrf, is_safe
from app.exceptions import NotSignedInError
from app.services.api_keys import KEY_MARK, ApiKeys
from app.services.sessions import Sessions


class Identities:
    """Tells who sends a request. What a program sends comes before a browser's cookies."""

    def __init__(
        self, config: Config, sessions: Sessions, api_keys: ApiKeys, cookies: SessionCookies
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._api_keys = api_keys
        self._cookies = cookies

    async def identify(self, request: Request) -> Actor | None:
        """The actor; None for nobody, and for a browser whose session has ended.

        Raises
        ------
        NotSignedInError
            Raised for an access token or key that is not good, or not good any more.
        ForbiddenError
            Raised for a change by cookies which does not come from one of our pages.
        UnavailableError
            Raised when nobody can tell.
        """
        header = request.headers.get("authorization")
        if header is None:
            return await self._identify_browser(request)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedInError("Authorization: should be `Bearer` and a token or an API key")
        if token.startswith(KEY_MARK):
            return await self._api_keys.authenticate(token)
        return await self._sessions.authenticate(token)

    async def _identify_browser(self, request: Request) -> Actor | None:
        access = request.cookies.get(self._cookies.access)
        refresh = request.cookies.get(self._cookies.refresh)
        actor = await self._try(access) if access else None
        if actor is None and refresh:
            actor = await self._renew(request, refresh)
        if actor is not None and actor.session_id is not None and not is_safe(request):
            await check_csrf(request, self._config, actor.session_id)
        return actor

    async def _try(self, access: str) -> Actor | None:
        try:
            return await self._sessions.authenticate(access)
        except NotSignedInError:
            return None

    async def _renew(self, request: Request, refresh: str) -> Actor | None:
        """Go on with a session whose access token has expired; the answer brings new cookies."""
        answer = Response()
        try:
            tokens = await self._sessions.refresh(refresh, leeway_seconds=ROTATION_LEEWAY_SECONDS)
            actor = await self._sessions.authenticate(tokens.access)
        except NotSignedInError:
            self._cookies.clear(answer)
            actor = None
        else:
            self._cookies.attach(answer, tokens)
        cookies = [header for header in answer.raw_headers if header[0] == b"set-cookie"]
        request.state.answer_headers.extend(cookies)
        return actor
