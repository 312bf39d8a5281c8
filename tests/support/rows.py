"""Every row of every table, whatever tables there are."""

import json
from typing import Any

from benchmarks.harness.portal_stack import PortalStack

_TABLES = (
    "select format('%I.%I', nspname, relname) from pg_class "
    "join pg_namespace on pg_namespace.oid = relnamespace "
    "where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1"
)
# Values of every kind that a dump could get wrong, and enough of them for several pages.
_ODD_TABLE = """
set role devportal_migrator;
create table odd_values (
    id bigserial primary key, word text, bytes bytea, number double precision, big numeric,
    moment timestamptz, words text[], document jsonb, nothing int
);
insert into odd_values (word, bytes, number, big, moment, words, document)
select e'tab\\t, \\\\N, "quote", umlaut \u00e4 ' || n, decode(md5(n::text), 'hex'), 'NaN',
    1e30 + n, 'epoch'::timestamptz + n * interval '1 day', array[null, '{', n::text],
    jsonb_build_object('n', n, 'null', null)
from generate_series(1, 5000) as n;
"""
_DROP_TABLES = """
do $$ declare name text; begin
    for name in select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname !~ '^pg_' and schemaname <> 'information_schema'
    loop execute 'drop table if exists ' || name || ' cascade'; end loop;
end $$
"""
# Owners and grants of the database, its schemas, its tables and sequences, and of new ones.
_RIGHTS = """
select json_agg(line order by line) from (
    select concat_ws(' ', 'database', pg_get_userbyid(datdba),
            (select string_agg(one::text, ' ' order by one::text) from unnest(datacl) as one))
        as line from pg_database where datname = current_database()
    union all select concat_ws(' ', nspname, pg_get_userbyid(nspowner), nspacl::text)
        from pg_namespace where nspname !~ '^pg_'
    union all select concat_ws(' ', relname, relkind, pg_get_userbyid(relowner), relacl::text)
        from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')
    union all select concat_ws(' ', 'default', defaclobjtype, defaclacl::text) from pg_default_acl
) as lines
"""


def add_odd_rows(stack: PortalStack) -> None:
    """A table of the schema's owner with values of every kind."""
    stack.query(_ODD_TABLE)


def drop_every_table(stack: PortalStack) -> None:
    """Nothing that holds a row is left."""
    stack.query(_DROP_TABLES)
    assert read_rows(stack) == {}


def read_rows(stack: PortalStack) -> dict[str, list[str]]:
    """The rows of each table as text, in an order that depends on nothing but them."""
    return {
        table: _lines(stack, f'select t::text from {table} as t order by t::text collate "C"')
        for table in _lines(stack, _TABLES)
    }


def _lines(stack: PortalStack, query: str) -> list[str]:
    said = stack.query(query)
    return said.rstrip("\n").split("\n") if said else []


def read_rights(stack: PortalStack) -> list[Any]:
    """Who owns what and who may do what with it."""
    return json.loads(stack.query(_RIGHTS))
