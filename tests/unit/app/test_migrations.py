"""What the migrations ask of a database in use, as squawk judges their SQL."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.revisions import MIGRATIONS

STEPS = {
    script.revision: f"{script.down_revision or 'base'}:{script.revision}"
    for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()
}
_YOUNG = "the tables of revision 0001 held nothing but examples: 0002 is the first release's"
EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "0001": {"prefer-text-field": "Alembic's own table, whose only row is never long"},
    "0002": {
        "prefer-bigint-over-int": "counts changes of one row, and bytes of one document",
        "constraint-missing-not-valid": _YOUNG,
        "adding-field-with-default": _YOUNG,
        "require-concurrent-index-creation": _YOUNG,
    },
    "0004": {
        "ban-drop-constraint": "a wider one takes its place in the same transaction",
        "constraint-missing-not-valid": "thousands of kinds are checked within a second",
        "require-concurrent-index-creation": (
            "thousands of rows are indexed within a second; concurrently, this would wait for the "
            "replicas that wait for the migration"
        ),
    },
    "0005": {"ban-drop-not-null": "to replicas of before, no password is a wrong one"},
    "0008": {"constraint-missing-not-valid": "the column is new, and every row has its default"},
}


def found_in(sql: str) -> set[str]:
    """The rules that the SQL breaks."""
    squawk = Path(sys.executable).with_name("squawk")
    run = subprocess.run(
        [squawk, "--pg-version", "15", "--reporter", "json"],
        input=sql,
        capture_output=True,
        text=True,
    )
    return {problem["rule_name"] for problem in json.loads(run.stdout)}


@pytest.mark.parametrize("revision", STEPS)
def test_migration_breaks_no_rule_but_those_with_a_reason(revision: str) -> None:
    printed = io.StringIO()
    config = Config(MIGRATIONS / "alembic.ini", output_buffer=printed)
    command.upgrade(config, STEPS[revision], sql=True)
    assert f"'{revision}'" in printed.getvalue()
    assert found_in(printed.getvalue()) == set(EXCEPTIONS.get(revision, ()))


def test_migration_that_locks_a_table_for_long_is_noticed() -> None:
    assert found_in("BEGIN; CREATE INDEX ix_new ON entity (title); COMMIT;") == {
        "require-concurrent-index-creation",
        "require-lock-timeout",
        "require-statement-timeout",
    }
