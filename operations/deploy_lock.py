"""A lock by hand on a stack: `make lock`, `make unlock`, and what `make up` and `down` say to it.

It is an empty volume on the stack's engine, so that every clone, user and machine that deploys
there sees it, whatever the backend. A volume is created once however many try together.
"""

import argparse
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from docker.errors import NotFound
from docker.models.volumes import Volume

from infra.errors import UserError
from infra.naming import PROJECT
from operations.containers import connect_engine
from operations.runs import user_name
from operations.stack import Stack

_LABEL = "devportal.lock"


def lock(stack: Stack, options: argparse.Namespace) -> None:
    """`make lock`: until `make unlock`, nobody's `up` or `down` runs."""
    if not options.reason.strip():
        raise UserError(
            "REASON: should tell why (got nothing). Run `make lock REASON='...' "
            f"STACK={stack.name}`."
        )
    token = secrets.token_hex(8)
    labels = {
        _LABEL: stack.name,
        f"{_LABEL}.token": token,
        f"{_LABEL}.holder": f"{user_name()} on {socket.gethostname()}",
        f"{_LABEL}.since": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        f"{_LABEL}.reason": options.reason.strip(),
    }
    held = _labels_of(connect_engine(stack).volumes.create(_name(stack), labels=labels))
    if held.get(f"{_LABEL}.token") != token:
        raise UserError(_describe(stack, held))
    print(f"stack {stack.name}: locked until `make unlock STACK={stack.name}`")


def unlock(stack: Stack, options: argparse.Namespace) -> None:
    """`make unlock`: ends a lock, no matter who holds it."""
    held = _find(stack)
    if held is None:
        raise UserError(f"stack {stack.name}: should be locked (got no lock). Nothing to do.")
    connect_engine(stack).volumes.get(_name(stack)).remove()
    print(f"stack {stack.name}: unlocked; it was locked {_tell(held)}")


def refuse_if_locked(stack: Stack) -> None:
    """Raise UserError with who has locked the stack, when and why."""
    held = _find(stack)
    if held is not None:
        raise UserError(_describe(stack, held))


def _name(stack: Stack) -> str:
    return f"{PROJECT}-{stack.name}-deploy-lock"


def _find(stack: Stack) -> Mapping[str, str] | None:
    try:
        return _labels_of(connect_engine(stack).volumes.get(_name(stack)))
    except NotFound:
        return None


def _labels_of(volume: Volume) -> Mapping[str, str]:
    """None of ours on one that was made by hand, which locks all the same."""
    return volume.attrs["Labels"] or {}


def _describe(stack: Stack, held: Mapping[str, str]) -> str:
    return (
        f"stack {stack.name}: should not be locked (got a lock {_tell(held)}). Ask, or run "
        f"`make unlock STACK={stack.name}`."
    )


def _tell(held: Mapping[str, str]) -> str:
    holder, since, reason = (
        held.get(f"{_LABEL}.{part}", "(not told)") for part in ("holder", "since", "reason")
    )
    return f"by {holder} since {since}: {reason}"
