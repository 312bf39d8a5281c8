"""Links by which people choose a password, and accounts without one until then."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.alter_column("user_account", "password_hash", nullable=True)
    op.create_table(
        "password_link",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name="fk_password_link_user_id_user_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_password_link"),
        sa.UniqueConstraint("token_sha256", name="uq_password_link_token_sha256"),
    )


def downgrade() -> None:
    """Nobody signs in to an account without a password: no password has the empty hash."""
    op.drop_table("password_link")
    op.execute("UPDATE user_account SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("user_account", "password_hash", nullable=False)
