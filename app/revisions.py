"""Which revisions of the schema this code knows, read without Alembic: loading it takes longer
than all the rest of a start that finds nothing to migrate."""

import ast
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


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
        values = _assigned(ast.parse(path.read_text()))
        known.add(values["revision"])
        down = values["down_revision"]
        below.update([down] if isinstance(down, str) else down or ())
    return Revisions(known=frozenset(known), heads=frozenset(known - below))


def _assigned(module: ast.Module) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for statement in module.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        if name in ("revision", "down_revision"):
            values[name] = ast.literal_eval(value)
    return values
