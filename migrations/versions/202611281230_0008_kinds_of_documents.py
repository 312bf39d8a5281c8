"""API documents of other kinds than OpenAPI."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    # Not `kind`: where older replicas name that column, it is the entity's alone.
    column = sa.Column("api_kind", sa.Text(), server_default="openapi", nullable=False)
    op.add_column("api_content", column)
    kinds = "api_kind IN ('openapi', 'asyncapi', 'graphql', 'grpc')"
    op.create_check_constraint(op.f("ck_api_content_api_kind"), "api_content", kinds)


def downgrade() -> None:
    """Other documents than OpenAPI have to be deleted before: older code reads them as such."""
    op.drop_column("api_content", "api_kind")
