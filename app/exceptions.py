"""Errors a client may meet; the HTTP status stands on the class."""


class PortalError(Exception):
    """Base of all errors that become an RFC 9457 problem."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFoundError(PortalError):
    """What was asked for does not exist."""

    status = 404
    title = "Not found"


class UnavailableError(PortalError):
    """A dependency the answer needs is away."""

    status = 503
    title = "Temporarily unavailable"
