"""The end of `make drift`: what was changed by hand and no refresh can show."""

from collections.abc import Iterator

from infra.naming import ROLE_LABEL
from operations.containers import connect_engine
from operations.doctor import Finding, show_findings
from operations.drift_checks import Observed, check_image_names, check_strangers
from operations.interruption import read_latest
from operations.service_checks import check_database
from operations.stack import Stack

CHANGES_FOUND = 7
"""Pulumi's exit code for changes where none are expected."""


def end_drift(stack: Stack, code: int) -> int:
    """Add to what a refresh has shown; the exit code of both. Raises UserError without an engine.

    Parameters
    ----------
    code
        Pulumi's of the refresh.
    """
    unseen = [*find_unseen(stack)] if code in (0, CHANGES_FOUND) else []
    show_findings(unseen)
    if code == CHANGES_FOUND:
        print(
            "drift: what differs was changed by hand or has failed; "
            f"`make up STACK={stack.name}` puts it back"
        )
    return CHANGES_FOUND if unseen else code


def find_unseen(stack: Stack) -> Iterator[Finding]:
    """What was changed in the database, and what was put beside the stack's own."""
    client, resources = connect_engine(stack), read_latest(stack).get("resources") or []
    observed = Observed.look(stack, client, resources, is_near=False)
    yield from check_strangers(observed)
    yield from check_image_names(observed)
    for server in observed.containers:
        if server.labels[ROLE_LABEL] == "postgres" and server.status == "running":
            yield from check_database(stack, server)
