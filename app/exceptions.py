"""Errors a client or an operator may meet; the HTTP status stands on the class."""

from collections.abc import Mapping


class PortalError(Exception):
    """Base of all errors that become an RFC 9457 problem."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer says beside the problem."""
        return {}


class InvalidRequestError(PortalError):
    """What was sent breaks a rule that its shape does not show."""

    status = 422
    title = "Invalid request"


class NotSignedInError(PortalError):
    """Nobody is signed in, or with credentials that are not good any more."""

    status = 401
    title = "Not signed in"

    @property
    def headers(self) -> Mapping[str, str]:
        """How to sign in (RFC 9110, section 11.6.1)."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(PortalError):
    """Whoever asks may not do that."""

    status = 403
    title = "Forbidden"


class NotFoundError(PortalError):
    """What was asked for does not exist."""

    status = 404
    title = "Not found"


class ConflictError(PortalError):
    """It is there already, or in use."""

    status = 409
    title = "Conflict"


class ChangedMeanwhileError(PortalError):
    """If-Match names a version that is not the current one (RFC 9110, section 13.1.1)."""

    status = 412
    title = "Precondition failed"


class TooManyRequestsError(PortalError):
    """A limit is reached; `retry_after` tells in how many seconds it is worth trying again."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.retry_after)}


class TooLargeError(PortalError):
    """More was sent than is taken."""

    status = 413
    title = "Too large"


class PreconditionRequiredError(PortalError):
    """A change must say which version it is of (RFC 6585, section 3)."""

    status = 428
    title = "Precondition required"


class UnavailableError(PortalError):
    """A dependency the answer needs is away."""

    status = 503
    title = "Temporarily unavailable"


class SchemaBehindError(UnavailableError):
    """The schema lacks a revision that the code needs."""


class CommandError(Exception):
    """A command of `python -m app` cannot do its work; the message says what to do."""


def one_line(error: BaseException) -> str:
    """What the driver said, on one line, without the statement and its parameters."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return said or type(error).__name__
