"""Differences in the order in which they are read: breaking ones first, by what they belong to."""

from dataclasses import dataclass, replace
from typing import Literal

from app.lines import shorten
from app.openapi.diff.changes import Change, Groups

_MAX_TEXT_CHARACTERS = 1000
"""Of a change's place and message: one schema's text may show at many places."""


@dataclass(frozen=True)
class Group:
    """Changes of one operation or schema."""

    kind: Literal["document", "operation", "schema"]
    name: str
    changes: list[Change]


@dataclass(frozen=True)
class Side:
    """Changes that break clients, or those that do not.

    Parameters
    ----------
    changes
        All distinct ones, listed or not.
    places
        The parts of operations that show them, counted once for each change.
    left_out
        Those of the changes that the groups do not list.
    """

    changes: int
    places: int
    left_out: int
    groups: list[Group]


@dataclass(frozen=True)
class Report:
    """What changed from one document to another."""

    breaking: Side
    non_breaking: Side


def report(groups: Groups, *, most: int | None = None) -> Report:
    """The first `most` changes of either side, and how many there are."""
    return Report(_side(groups, most, breaking=True), _side(groups, most, breaking=False))


def _side(groups: Groups, most: int | None, *, breaking: bool) -> Side:
    found = [
        (subject, [change for change in changes if change.breaking == breaking])
        for subject, changes in groups.items()
    ]
    total = sum(len(changes) for _, changes in found)
    places = sum(change.places for _, changes in found for change in changes)
    left = total if most is None else min(most, total)
    listed: list[Group] = []
    for (kind, name), changes in found:
        if shown := [_short(change) for change in changes[:left]]:
            listed.append(Group(kind, _cut(name), shown))
            left -= len(shown)
    count = sum(len(group.changes) for group in listed)
    return Side(changes=total, places=places, left_out=total - count, groups=listed)


def _short(change: Change) -> Change:
    first = tuple(map(_cut, change.first_places))
    return replace(
        change, where=_cut(change.where), message=_cut(change.message), first_places=first
    )


def _cut(text: str) -> str:
    return shorten(text, _MAX_TEXT_CHARACTERS)
