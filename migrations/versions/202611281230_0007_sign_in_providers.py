"""People as a sign-in provider knows them, and memberships that its groups give."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"

_NOW = sa.text("now()")


def upgrade() -> None:
    op.add_column(
        "membership",
        sa.Column("from_provider", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "provider_identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name="fk_provider_identity_user_id_user_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_provider_identity"),
        sa.UniqueConstraint("user_id", "issuer", name="uq_provider_identity_user_id"),
    )


def downgrade() -> None:
    op.drop_table("provider_identity")
    op.drop_column("membership", "from_provider")
