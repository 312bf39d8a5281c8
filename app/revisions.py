"""Which revisions of the schema this code knows, read without Alembic: loading it takes longer
than all the rest of a start that finds nothing to migrate."""

import ast
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_ASSIGNED = re.compile(r"^(revision|down_revision)\b[^=\n]*= (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Revisions:
    """The revisions of a release, and the newest of them."""

    known: frozenset[str]
    heads: frozenset[str]

    def are_reached_by(self, found: Set[str]) -> bool:
        """Whether a schema at `found` has all that this release needs.

        A revision unknown here is a newer release's. Migrations expand the schema first and
        contract it a release later, so older replicas go on serving while the newer one rolls out.
        """
        return found == self.heads or bool(found - self.known)


@cache
def code_revisions() -> Revisions:
    """The revisions in `migrations/versions`."""
    below: set[str] = set()
    known: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        found: dict[str, str] = dict(_ASSIGNED.findall(path.read_text()))
        values = {name: ast.literal_eval(text) for name, text in found.items()}
        known.add(values["revision"])
        down = values["down_revision"]
        below.update([down] if isinstance(down, str) else down or ())
    return Revisions(known=frozenset(known), heads=frozenset(known - below))
