"""Sessions of browsers: cookies that no script can read, and the CSRF token of forms."""

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from app.config import Config
from app.constants import SESSION_IDLE_SECONDS, SIGN_IN_SECONDS
from app.exceptions import ForbiddenError
from app.http.uploads import read_form
from app.services.tokens import Tokens

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PORTS = {"http": ":80", "https": ":443"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class SessionCookies:
    """Names and flags of the cookies.

    In production `__Host-` binds them to this host and to TLS (RFC 6265bis, section 4.1.3.2); in
    development, over plain HTTP, browsers would refuse such a cookie.
    """

    def __init__(self, config: Config) -> None:
        self._secure = config.is_production
        prefix = "__Host-" if self._secure else "devportal-"
        self.access, self.refresh = f"{prefix}access", f"{prefix}refresh"
        self.attempt = f"{prefix}sign-in"

    def attach(self, response: Response, tokens: Tokens) -> None:
        """Make the browser hold a session's tokens; one it should keep stays."""
        self._set(response, self.access, tokens.access, tokens.expires_in)
        if tokens.refresh is not None:
            self._set(response, self.refresh, tokens.refresh, SESSION_IDLE_SECONDS)

    def clear(self, response: Response) -> None:
        """Make the browser forget them."""
        for name in (self.access, self.refresh):
            self._set(response, name, "", 0)

    def keep_attempt(self, response: Response, state: str) -> None:
        """Make the browser hold the state of a sign-in that it has begun at the provider."""
        self._set(response, self.attempt, state, SIGN_IN_SECONDS)

    def drop_attempt(self, response: Response) -> None:
        """Make the browser forget it."""
        self._set(response, self.attempt, "", 0)

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )


def csrf_token(config: Config, session_id: str) -> str:
    """The token in every form of that session; other sites can neither read nor make it."""
    key = config.secret_key.get_secret_value().encode()
    return hmac.new(key, f"csrf:{session_id}".encode(), hashlib.sha256).hexdigest()


def is_safe(request: Request) -> bool:
    """Whether the request's method changes nothing (RFC 9110, section 9.2.1)."""
    return request.method in _SAFE


def check_origin(request: Request) -> None:
    """Refuse what a page of another site makes a browser send, whether signed in or not.

    Raises
    ------
    ForbiddenError
        Raised for a request that comes from elsewhere according to the browser.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        host = request.headers.get("host")
        if not host or _normal(origin) != _normal(f"{request.url.scheme}://{host}"):
            raise ForbiddenError("the request comes from a page of another site")
    elif request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise ForbiddenError("the request comes from a page of another site")


async def check_csrf(request: Request, config: Config, session_id: str) -> None:
    """Refuse a change that comes with a session's cookies but not from one of its pages.

    Raises
    ------
    ForbiddenError
        Raised when the origin is another or the token is missing or not this session's.
    """
    check_origin(request)
    given = request.headers.get(CSRF_HEADER) or await _read_field(request)
    if not hmac.compare_digest(given.encode(), csrf_token(config, session_id).encode()):
        raise ForbiddenError(
            f"a change by cookie needs the session's token as `{CSRF_HEADER}` or `{CSRF_FIELD}`"
        )


async def _read_field(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    field = (await read_form(request)).get(CSRF_FIELD)
    return field if isinstance(field, str) else ""


def _normal(origin: str) -> bytes:
    """The origin without its scheme's own port, which browsers leave out."""
    scheme, _, host = origin.lower().partition("://")
    return f"{scheme}://{host.removesuffix(_OWN_PORTS.get(scheme, ''))}".encode()
