"""Turns errors of the handlers into answers that Pulumi shows as they are."""

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from plugins.docker.build.cancellation import CancelledError
from plugins.docker.engine import EngineError, EngineSilentError
from plugins.docker.errors import PartlyCreatedError, ResourceError
from plugins.docker.messages import init_failed_details
from plugins.docker.redaction import Redaction
from plugins.docker.values import Decoded

_DETAILS_KEY = "grpc-status-details-bin"


class _AnsweredError(Exception):
    """An error ready to be sent: no secret in it."""

    def __init__(self, message: str, details: bytes | None = None) -> None:
        super().__init__(message)
        self.details = details


class Answering:
    """Base of the servicer: errors become messages without secrets and without a traceback."""

    @contextmanager
    def redacting(self, *decoded: Decoded) -> Iterator[None]:
        """Take the secrets of these values out of whatever goes wrong in the block."""
        redact = Redaction(text for values in decoded for text in values.secret_texts)
        secret_names = frozenset[str]().union(*(values.secret_names for values in decoded))
        try:
            yield
        except PartlyCreatedError as error:
            reason = redact(str(error))
            details = init_failed_details(error, reason, secret_names)
            raise _AnsweredError(reason, details) from None
        except (ResourceError, EngineError, EngineSilentError, CancelledError) as error:
            raise _AnsweredError(redact(str(error))) from None
        except Exception as error:
            raise _AnsweredError(redact(_bug_report(error))) from None


def answers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a servicer's method end in a gRPC error with a message made for the user."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except _AnsweredError as error:
            if error.details:
                context.set_trailing_metadata(((_DETAILS_KEY, error.details),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except ResourceError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return answer


def _bug_report(error: Exception) -> str:
    """Where a mistake of this provider's own happened."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"docker provider: internal error {type(error).__name__}: {error} "
        f"({place.filename.rpartition('/')[2]}:{place.lineno}). Please report it."
    )
