"""Errors a client or an operator may meet; the HTTP status stands on the class."""


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


class SchemaBehindError(UnavailableError):
    """The schema lacks a revision that the code needs."""


class CommandError(Exception):
    """A command of `python -m app` cannot do its work; the message says what to do."""


def one_line(error: BaseException) -> str:
    """What the driver said, on one line, without the statement and its parameters."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return said or type(error).__name__
