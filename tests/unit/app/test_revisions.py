"""What the code knows of the schema, without Alembic."""

import pytest
from alembic.script import ScriptDirectory

from app.revisions import MIGRATIONS, Revisions, code_revisions


def test_revisions_are_the_ones_alembic_finds() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    found = code_revisions()
    assert found.heads == set(scripts.get_heads())
    assert found.known == {script.revision for script in scripts.walk_revisions()}


@pytest.mark.parametrize(
    ("schema", "reached"),
    [
        (set[str](), False),
        ({"0001"}, False),
        ({"0002"}, True),
        ({"0003-of-a-newer-release"}, True),
    ],
)
def test_schema_is_new_enough_at_the_head_or_beyond(schema: set[str], reached: bool) -> None:
    release = Revisions(known=frozenset({"0001", "0002"}), heads=frozenset({"0002"}))
    assert release.are_reached_by(schema) is reached
