"""A catalogue of 10,000 entities, and requests for it."""

import itertools
import uuid
from collections.abc import Iterator

from tests.support.portal_stack import PortalStack

ENTITIES = 10_000
_BATCH = 1000
_ADD_TEAM = "insert into team (name, title) values ('bench', 'Bench')"
_ADD_ENTITIES = """
insert into entity (kind, namespace, name, title, description, owner_id, tags)
select 'component', 'bench', 'service-' || n, 'Service ' || n,
    'Handles ' || subjects[1 + n % 10] || ' by ' || means[1 + n % 13] || ' for region ' || n % 97,
    team.id, array['tag-' || n % 50]
from generate_series({first}, {last}) n, team, (select
    array['orders', 'payments', 'invoices', 'shipping', 'returns', 'catalogue', 'prices', 'stock',
        'users', 'sessions'] as subjects,
    array['kafka', 'postgres', 'redis', 'batch', 'stream', 'queue', 'report', 'email', 'audit',
        'cache', 'search', 'import', 'export'] as means) words
where team.name = 'bench'
"""
# A thousand hits, some eighty, one, and words that are not finished.
_QUESTIONS = ("orders", "kafka%20payments", "service-777", "invo%20rep", "region%2042", "ship")


def fill(stack: PortalStack) -> None:
    """Add the entities, in batches."""
    stack.query(_ADD_TEAM)
    for first in range(1, ENTITIES + 1, _BATCH):
        stack.query(_ADD_ENTITIES.format(first=first, last=first + _BATCH - 1))
    stack.query("analyze entity")


def reads(count: int = ENTITIES) -> list[str]:
    """Reads of so many entities, each another."""
    return [f"GET /api/v1/entities/component/bench/service-{n}" for n in range(1, count + 1)]


def searches() -> list[str]:
    """Searches over all entities."""
    return [f"GET /api/v1/search?q={words}" for words in _QUESTIONS]


def writes(count: int) -> list[str]:
    """New entities, of names that are nobody's yet."""
    return list(itertools.islice(_new_entities(uuid.uuid4().hex[:12]), count))


def _new_entities(prefix: str) -> Iterator[str]:
    for number in itertools.count():
        body = f'"kind":"component","namespace":"written","name":"w-{prefix}-{number}"'
        yield f'POST /api/v1/entities {{{body},"title":"Written","owner":"bench"}}'
