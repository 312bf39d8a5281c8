"""What Backstage's catalogues have: annotations, labels, domains, relations by name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"

_KINDS = "'component', 'api', 'resource', 'system'"
_TYPES = "'part_of', 'depends_on', 'provides', 'consumes'"


def upgrade() -> None:
    for name in ("annotations", "labels"):
        column = sa.Column(name, postgresql.JSONB(), server_default="{}", nullable=False)
        op.add_column("entity", column)
    _allow_kinds(f"{_KINDS}, 'domain'")
    op.create_index(
        "uq_entity_kind_namespace_lower_name",
        "entity",
        ["kind", "namespace", sa.text("lower(name)")],
        unique=True,
    )
    op.add_column("user_account", sa.Column("handle", sa.Text(), nullable=True))
    op.create_index("uq_user_account_handle", "user_account", ["handle"], unique=True)
    _create_named_relation()


def downgrade() -> None:
    """Domains have to be deleted before."""
    op.drop_table("named_relation")
    op.drop_column("user_account", "handle")
    op.drop_index("uq_entity_kind_namespace_lower_name", "entity")
    _allow_kinds(_KINDS)
    for name in ("labels", "annotations"):
        op.drop_column("entity", name)


def _allow_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_entity_kind"), "entity")
    check = f"ALTER TABLE entity ADD CONSTRAINT ck_entity_kind CHECK (kind IN ({kinds})) NOT VALID"
    op.execute(check)
    op.execute("ALTER TABLE entity VALIDATE CONSTRAINT ck_entity_kind")


def _create_named_relation() -> None:
    op.create_table(
        "named_relation",
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("inverse", sa.Boolean(), nullable=False),
        sa.Column("other_kind", sa.Text(), nullable=False),
        sa.Column("other_namespace", sa.Text(), nullable=False),
        sa.Column("other_name", sa.Text(), nullable=False),
        sa.CheckConstraint(f"type IN ({_TYPES})", name=op.f("ck_named_relation_type")),
        sa.ForeignKeyConstraint(
            ["entity_id"],
            ["entity.id"],
            name="fk_named_relation_entity_id_entity",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "entity_id",
            "type",
            "inverse",
            "other_kind",
            "other_namespace",
            "other_name",
            name="pk_named_relation",
        ),
    )
    op.create_index(
        "ix_named_relation_other",
        "named_relation",
        ["other_kind", "other_namespace", sa.text("lower(other_name)")],
    )
