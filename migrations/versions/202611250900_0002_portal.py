"""The portal: accounts in full, API keys, audit, relations, API documents, pages, search."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"

_TABLES = ("page", "api_document", "api_content", "relation", "audit_event", "api_key")
_ACCOUNT_COLUMNS = ("must_change_password", "is_active", "name")
_NOW = sa.text("now()")

# In a generated column everything must be immutable, which array_to_string is not in general; of
# text it is. Names are qualified: a restored dump runs with an empty search path.
#
# A name is there twice, also with its separators gone: PostgreSQL takes `orders.v1` for a host.
_SEARCH = """
CREATE FUNCTION portal_search(name text, title text, body text, tags text[])
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.setweight(pg_catalog.to_tsvector('pg_catalog.simple',
            name || ' ' || pg_catalog.translate(name, '-_.', '   ')), 'A')
        || pg_catalog.setweight(pg_catalog.to_tsvector('pg_catalog.english', title), 'A')
        || pg_catalog.setweight(
            pg_catalog.to_tsvector('pg_catalog.simple', pg_catalog.array_to_string(tags, ' ')), 'B')
        || pg_catalog.setweight(pg_catalog.to_tsvector('pg_catalog.english', body), 'C')
$$
"""
# Every word must be there: as written in a name or a tag, or in another form in a text. Words
# that English texts are searched without (`the`) ask for nothing; the last word may go on.
_QUERY = """
CREATE FUNCTION portal_query(words text[])
RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    found tsquery := ''::tsquery;
    english tsquery;
    last int := cardinality(words);
    suffix text := '';
BEGIN
    FOR i IN 1..last LOOP
        english := to_tsquery('english', words[i]);
        IF i = last THEN
            suffix := ':*';
            english := english || to_tsquery('english', words[i] || suffix);
        ELSIF numnode(english) = 0 THEN
            CONTINUE;
        END IF;
        found := found && (english || to_tsquery('simple', words[i] || suffix));
    END LOOP;
    RETURN found;
END
$$
"""
_APPEND_ONLY = """
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_event: rows are only ever added (got %)', TG_OP;
END
$$
"""
_GUARD = """
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only()
"""
# The application's role has the defaults for new tables, which are too much here; what it is called
# is the installation's own affair.
_ONLY_ADD = """
DO $$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT grantee FROM information_schema.role_table_grants
        WHERE table_schema = 'public' AND table_name = 'audit_event' AND grantee <> current_user
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM %I', other);
    END LOOP;
END
$$
"""


def upgrade() -> None:
    _extend_accounts()
    _create_api_key()
    _create_audit_event()
    _extend_entity()
    _create_relation()
    _create_api_document()
    _create_page()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION audit_event_is_append_only()")
    for column in ("search", "updated_at", "version", "links"):
        op.drop_column("entity", column)
    op.execute("DROP FUNCTION portal_query(text[])")
    op.execute("DROP FUNCTION portal_search(text, text, text, text[])")
    op.drop_column("membership", "role")
    for column in ("session_epoch", "password_changed_at", *_ACCOUNT_COLUMNS):
        op.drop_column("user_account", column)
    op.drop_column("team", "description")


def _extend_accounts() -> None:
    op.add_column("team", _text("description"))
    op.add_column("user_account", _text("name"))
    op.add_column("user_account", _flag("is_active", "true"))
    op.add_column("user_account", _flag("must_change_password", "false"))
    op.add_column("user_account", _time("password_changed_at"))
    op.add_column("user_account", _counter("session_epoch"))
    op.add_column("membership", _text("role", default="member"))
    op.create_check_constraint("role", "membership", "role IN ('owner', 'member')")


def _create_api_key() -> None:
    op.create_table(
        "api_key",
        *_identified(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name="fk_api_key_user_id_user_account",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("prefix", name="uq_api_key_prefix"),
    )
    op.create_index("ix_api_key_user_id", "api_key", ["user_id"])


def _create_audit_event() -> None:
    kinds = "'session', 'api_key', 'system', 'anonymous'"
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _time("at"),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("address", postgresql.INET(), nullable=True),
        _text("request_id"),
        sa.CheckConstraint(f"actor_kind IN ({kinds})", name=op.f("ck_audit_event_actor_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_index("ix_audit_event_target", "audit_event", ["target", "id"])
    op.create_index("ix_audit_event_actor_id", "audit_event", ["actor_id", "id"])
    op.execute(_APPEND_ONLY)
    op.execute(_GUARD)
    op.execute(_ONLY_ADD)


def _extend_entity() -> None:
    op.execute(_SEARCH)
    op.execute(_QUERY)
    op.add_column(
        "entity", sa.Column("links", postgresql.JSONB(), server_default="[]", nullable=False)
    )
    op.add_column("entity", _counter("version"))
    op.add_column("entity", _time("updated_at"))
    op.add_column("entity", _search("portal_search(name, title, description, tags)"))
    op.create_index("ix_entity_search", "entity", ["search"], postgresql_using="gin")


def _create_relation() -> None:
    types = "'part_of', 'depends_on', 'provides', 'consumes'"
    op.create_table(
        "relation",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"type IN ({types})", name=op.f("ck_relation_type")),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_relation_not_to_itself")),
        _of_entity("relation", "source_id"),
        _of_entity("relation", "target_id"),
        sa.PrimaryKeyConstraint("source_id", "type", "target_id", name="pk_relation"),
    )
    op.create_index("ix_relation_target_id", "relation", ["target_id"])


def _create_api_document() -> None:
    op.create_table(
        "api_content",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("openapi", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        _search("portal_search('', title, summary, '{}')"),
        sa.PrimaryKeyConstraint("sha256", name="pk_api_content"),
    )
    op.create_index("ix_api_content_search", "api_content", ["search"], postgresql_using="gin")
    op.create_table(
        "api_document",
        *_identified(),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        _of_entity("api_document", "entity_id"),
        sa.ForeignKeyConstraint(
            ["sha256"], ["api_content.sha256"], name="fk_api_document_sha256_api_content"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_document"),
        sa.UniqueConstraint("entity_id", "version", name="uq_api_document_entity_id"),
    )
    op.create_index("ix_api_document_sha256", "api_document", ["sha256"])


def _create_page() -> None:
    op.create_table(
        "page",
        *_identified(),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        _counter("version"),
        _time("updated_at"),
        _search("portal_search('', title, markdown, '{}')"),
        _of_entity("page", "entity_id"),
        sa.PrimaryKeyConstraint("id", name="pk_page"),
        sa.UniqueConstraint("entity_id", "slug", name="uq_page_entity_id"),
    )
    op.create_index("ix_page_search", "page", ["search"], postgresql_using="gin")


def _identified() -> tuple[sa.Column[Any], sa.Column[Any]]:
    key = sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    return key, _time("created_at")


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=_NOW, nullable=False)


def _text(name: str, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _flag(name: str, default: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _counter(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("1"), nullable=False)


def _search(expression: str) -> sa.Column[Any]:
    computed = sa.Computed(expression, persisted=True)
    return sa.Column("search", postgresql.TSVECTOR(), computed, nullable=False)


def _of_entity(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_entity"
    return sa.ForeignKeyConstraint([column], ["entity.id"], name=name, ondelete="CASCADE")
