"""Errors that a client or an operator may see; each class has its HTTP status."""

from collections.abc import Mapping

from app.constants import BUSY_RETRY_SECONDS, RETRY_AFTER_SECONDS


class PortalError(Exception):
    """Base of all errors that become an RFC 9457 problem."""

    status = 500
    title = "Internal error"
    headers: Mapping[str, str] = {}
    """Headers of the response."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequestError(PortalError):
    """The request breaks a rule that its schema does not express."""

    status = 422
    title = "Invalid request"


class NotSignedInError(PortalError):
    """There are no credentials, or they are not valid any more."""

    status = 401
    title = "Not signed in"
    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}
    """How to sign in (RFC 9110, section 11.6.1)."""


class ForbiddenError(PortalError):
    """The actor lacks the permission."""

    status = 403
    title = "Forbidden"


class SignInRefusedError(PortalError):
    """The sign-in provider's answer lets nobody in.

    Parameters
    ----------
    reason
        What was wrong with it, for the audit trail.
    """

    status = 403
    title = "Not signed in"

    def __init__(self, detail: str, *, reason: str, email: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.email = email


class NotFoundError(PortalError):
    """The requested thing does not exist."""

    status = 404
    title = "Not found"


class InvalidLinkError(PortalError):
    """A link that was good once is so no more, or never was (RFC 9110, section 15.5.11)."""

    status = 410
    title = "The link is not valid"


class ConflictError(PortalError):
    """It exists already, or is in use."""

    status = 409
    title = "Conflict"


class ChangedMeanwhileError(PortalError):
    """If-Match names a version that is not the current one (RFC 9110, section 13.1.1)."""

    status = 412
    title = "Precondition failed"


class TooManyRequestsError(PortalError):
    """A limit is reached; `retry_after` is the number of seconds to wait."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after)}


class TooLargeError(PortalError):
    """The body is larger than allowed."""

    status = 413
    title = "Too large"


class PreconditionRequiredError(PortalError):
    """A change must name the version that it replaces (RFC 6585, section 3)."""

    status = 428
    title = "Precondition required"


class UnavailableError(PortalError):
    """A dependency that the request needs is away."""

    status = 503
    title = "Temporarily unavailable"
    headers: Mapping[str, str] = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class BusyError(UnavailableError):
    """Too many have asked for the same at once."""

    headers: Mapping[str, str] = {"Retry-After": str(BUSY_RETRY_SECONDS)}


class CommandError(Exception):
    """A command of `python -m app` failed; the message says what to do."""


def one_line(error: BaseException) -> str:
    """The driver's message on one line, without the statement and its parameters."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return said or type(error).__name__
