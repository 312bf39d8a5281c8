"""Pulumi's wire messages made from the handlers' plain results."""

from collections.abc import Iterable
from typing import Any

from pulumi.runtime.proto import provider_pb2, status_pb2

from plugins.docker.autoname import AutoNaming, AutoNamingMode
from plugins.docker.check import Failure
from plugins.docker.diff import Change, Diff
from plugins.docker.errors import PartlyCreatedError
from plugins.docker.redaction import Redaction
from plugins.docker.values import Decoded, encode, first_name

# google.rpc.Code.UNKNOWN: what Pulumi's own providers send with a failed initialisation.
UNKNOWN_CODE = 2
_MODES = {0: AutoNamingMode.PROPOSE, 1: AutoNamingMode.ENFORCE, 2: AutoNamingMode.DISABLE}


def autonaming_of(request: Any) -> AutoNaming:
    """How the engine wants names made, from a CheckRequest."""
    if not request.HasField("autonaming"):
        return AutoNaming(seed=request.randomSeed)
    asked = request.autonaming
    return AutoNaming(_MODES[asked.mode], asked.proposed_name, request.randomSeed)


def failures_message(failures: Iterable[Failure], source: Decoded) -> list[Any]:
    """CheckFailures; the path is the property.

    Pulumi prints the value of a property that is named so, even a secret one: such a path goes into
    the reason instead.

    Parameters
    ----------
    source
        What was checked, to know its secrets.
    """
    redact = Redaction(source.secret_texts)
    return [
        provider_pb2.CheckFailure(reason=f"{failure.path}: {redact(failure.reason)}")
        if failure.path in source.secret_names
        else provider_pb2.CheckFailure(property=failure.path, reason=redact(failure.reason))
        for failure in failures
    ]


def diff_message(diff: Diff) -> Any:
    """A DiffResponse with the kind of every difference."""
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if diff.changes else response.DIFF_NONE,
        diffs=_top_level(diff.changes),
        replaces=_top_level(diff.replaces),
        deleteBeforeReplace=bool(diff.replaces) and diff.delete_before_replace,
        detailedDiff={name: _property_diff(change) for name, change in diff.changes.items()},
        hasDetailedDiff=True,
    )


def init_failed_details(error: PartlyCreatedError, reason: str, secrets: frozenset[str]) -> bytes:
    """Details of an error that leaves a resource behind, for the trailing metadata of gRPC."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=encode(error.outputs, secrets),
        reasons=[reason],
    )
    status = status_pb2.Status(code=UNKNOWN_CODE, message=reason)
    status.details.add().Pack(detail)
    return status.SerializeToString()


def _top_level(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(first_name(path) for path in paths))


def _property_diff(change: Change) -> Any:
    message = provider_pb2.PropertyDiff
    if change.added:
        kind = message.ADD_REPLACE if change.replaces else message.ADD
    elif change.removed:
        kind = message.DELETE_REPLACE if change.replaces else message.DELETE
    else:
        kind = message.UPDATE_REPLACE if change.replaces else message.UPDATE
    return message(kind=kind, inputDiff=change.from_input)
