"""The portal reads the schema's revision; only migrations write it."""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

# Alembic's table came with the defaults for new tables: an attacker inside the portal could have
# made the next release skip a migration.
_ONLY_READ = """
DO $$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT grantee FROM information_schema.role_table_grants
        WHERE table_schema = 'public' AND table_name = 'alembic_version'
            AND grantee <> current_user
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM %I', other);
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.execute(_ONLY_READ)


def downgrade() -> None:
    """Nothing: no release needs the right."""
