"""First tables: teams, accounts, memberships, entities."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "team",
        *_identified(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("name", name="uq_team_name"),
    )
    op.create_table(
        "user_account",
        *_identified(),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="member", nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'member', 'viewer')", name=op.f("ck_user_account_role")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("email", name="uq_user_account_email"),
    )
    _create_membership()
    _create_entity()


def downgrade() -> None:
    for table in ("entity", "membership", "user_account", "team"):
        op.drop_table(table)


def _identified() -> tuple[sa.Column[object], sa.Column[object]]:
    return (
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )


def _create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name="fk_membership_team_id_team", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name="fk_membership_user_id_user_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name="pk_membership"),
    )
    op.create_index("ix_membership_user_id", "membership", ["user_id"])


def _create_entity() -> None:
    text = sa.Text()
    op.create_table(
        "entity",
        *_identified(),
        sa.Column("kind", text, nullable=False),
        sa.Column("namespace", text, server_default="default", nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("title", text, nullable=False),
        sa.Column("description", text, server_default="", nullable=False),
        sa.Column("lifecycle", text, server_default="production", nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(text), server_default="{}", nullable=False),
        sa.Column("spec", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "kind IN ('component', 'api', 'resource', 'system')", name=op.f("ck_entity_kind")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["team.id"], name="fk_entity_owner_id_team"),
        sa.PrimaryKeyConstraint("id", name="pk_entity"),
        sa.UniqueConstraint("kind", "namespace", "name", name="uq_entity_kind"),
    )
    op.create_index("ix_entity_owner_id", "entity", ["owner_id"])
    op.create_index("ix_entity_tags", "entity", ["tags"], postgresql_using="gin")
