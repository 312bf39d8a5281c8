"""A resource as a rule sees it, and what a rule is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.settings import Environment
from infra.naming import ROLE_LABEL, find_label


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the program asks for it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    environment: Environment

    @property
    def role(self) -> str | None:
        return find_label(self.inputs.get("labels"), ROLE_LABEL)


Reason = str | None
"""`should be ... (got ...). What to do.`; None while the rule holds."""
Rule = Callable[[Resource], Reason]


def show(value: object) -> str:
    """A value as a reason tells it."""
    if isinstance(value, float):  # as every number comes from Pulumi
        return f"{value:g}"
    return "nothing" if value in (None, "") else str(value)


def show_all(values: Sequence[str]) -> str:
    """Values as a reason tells them."""
    return ", ".join(values) or "none"
