"""What an error of PostgreSQL or of its driver means: the server is away, or a request is wrong."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from app.exceptions import ConflictError, InvalidRequestError, PortalError, TooLargeError

_LOST = ("08", "28", "57P")
"""How the SQLSTATEs of a server begin that goes away; an error of the connection has none."""
_TOO_MUCH = "54"
"""The same of a statement or value beyond the server's own limits."""
_CHANGED = ("23503", "23505")
"""What was referred to is gone, or the key is taken; any other is a mistake of the portal."""


def is_lost(error: Exception) -> bool:
    """Whether the server is away: it is neither after a slow statement nor after a wrong one."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, TimeoutError)
    state = _state(error)
    of_connection = isinstance(error, OperationalError) and (not state or state.startswith(_LOST))
    return error.connection_invalidated or of_connection


def refusal_of(error: Exception) -> PortalError | None:
    """What a client has to change; None where the mistake is not the client's."""
    if isinstance(error, DataError | UnicodeEncodeError):
        rule = "should have values that the database can hold: no NUL, no number out of range"
        return InvalidRequestError(f"the request {rule}")
    if isinstance(error, IntegrityError) and _state(error) in _CHANGED:
        return ConflictError("it was changed meanwhile. Read it again, and repeat the change")
    if isinstance(error, OperationalError) and _state(error).startswith(_TOO_MUCH):
        return TooLargeError("the request should need less of the database. Send less at once")
    return None


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
