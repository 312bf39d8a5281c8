"""A difference, and whose side it is on."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

_MAX_SHOWN_VALUES = 10


class Direction(StrEnum):
    """Who reads what a schema describes: that side breaks when it gets wider."""

    REQUEST = "request"
    """The client sends it: the server must go on taking whatever it took."""
    RESPONSE = "response"
    """The client gets it: nothing may come that could not come before."""

    @property
    def opposite(self) -> "Direction":
        return Direction.RESPONSE if self is Direction.REQUEST else Direction.REQUEST


@dataclass(frozen=True)
class Change:
    """One difference.

    Parameters
    ----------
    rule
        What kind of change it is.
    where
        The place inside the operation or schema that the change belongs to.
    places
        How many parts of operations show it: a schema's change shows wherever the schema is used.
    first_places
        Some of them.
    """

    rule: str
    breaking: bool
    where: str
    message: str
    places: int = 1
    first_places: tuple[str, ...] = ()

    def at(self, place: str) -> "Change":
        """The same change, seen from further outside."""
        return replace(self, where=f"{place}{self.where}")


@dataclass(frozen=True)
class Part:
    """A schema of either document, at the same place, which is still to be compared."""

    place: str
    old: Any
    new: Any
    direction: Direction


Subject = tuple[Literal["document", "operation", "schema"], str]
"""What changes belong to, and its name."""

Groups = dict[Subject, list[Change]]
"""Changes by their subject; those of what is nearest to the operations first."""


def narrowed(
    rule: str, direction: Direction, message: str, *, is_narrower: bool, where: str = ""
) -> Change:
    """A change of what values there can be: narrower breaks requests, wider breaks responses."""
    return Change(rule, is_narrower == (direction is Direction.REQUEST), where, message)


def listed(values: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(values) - _MAX_SHOWN_VALUES
    return ", ".join(values[:_MAX_SHOWN_VALUES]) + (f" and {more} more" if more > 0 else "")
