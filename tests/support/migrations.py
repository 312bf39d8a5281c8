"""Migrations for the tests of updates."""

from pathlib import Path

_REFUSED = '''
"""A migration that the database refuses."""

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    from alembic import op

    op.execute("select 1 / 0")


def downgrade() -> None:
    pass
'''


def write_refused_migration(project: Path, head: str) -> Path:
    """A file that follows the revision `head` and fails when it is run."""
    path = project / "migrations" / "versions" / "9999_refused.py"
    path.write_text(_REFUSED.format(head=head))
    return path
