"""docker/scripts/entrypoint.sh: what happens before the portal's server starts, in which order."""

from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import run_script

URLS = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache"}


@pytest.fixture(autouse=True)
def stand_ins(programs: FakePrograms) -> None:
    """`python` and `wait-for-it.sh` say how they were called; what FAILING names fails."""
    for name in ("python", "wait-for-it.sh"):
        programs.put(name, f'echo "{name} $*"; case " $* " in *" $FAILING "*) exit 1 ;; esac')


def run(programs: FakePrograms, *command: str, **environ: str) -> tuple[int, list[str]]:
    """Exit code and output."""
    environ = {"FAILING": "none", **environ}
    done = run_script("scripts/entrypoint.sh", *command, programs=programs, **environ)
    return done.returncode, done.stdout.splitlines()


def test_settings_then_dependencies_then_schema_then_command(programs: FakePrograms) -> None:
    urls = {
        "DATABASE_URL": "postgresql://user:p%40ss@db.example:6000/portal?x=1",
        "REDIS_URL": "redis://user:word@cache",
    }
    assert run(programs, "echo", "served", MIGRATE="true", **urls) == (
        0,
        [
            "python -m app check",
            "wait-for-it.sh db.example:6000 --strict --timeout 60",
            "wait-for-it.sh cache:6379 --strict --timeout 60",
            "python -m app migrate create-admin",
            "served",
        ],
    )


def test_urls_are_read_from_files_too(programs: FakePrograms, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://user:word@postgres/portal\n")
    urls = {"DATABASE_URL_FILE": str(tmp_path / "url"), "REDIS_URL": "redis://redis:6379/0"}
    _, said = run(programs, "true", **urls)
    assert said[1] == "wait-for-it.sh postgres:5432 --strict --timeout 60"
    assert "word" not in "".join(said)


@pytest.mark.parametrize(
    ("migrate", "seed", "commands"),
    [
        ("true", "true", ["python -m app migrate seed"]),
        ("true", "false", ["python -m app migrate create-admin"]),
        ("false", "true", ["python -m app seed"]),
        ("false", "false", []),
    ],
)
def test_schema_and_example_data_change_only_when_the_environment_says_so(
    programs: FakePrograms, migrate: str, seed: str, commands: list[str]
) -> None:
    _, said = run(programs, "echo", "served", MIGRATE=migrate, SEED=seed, **URLS)
    assert said[3:] == [*commands, "served"]


@pytest.mark.parametrize(("failing", "lines"), [("check", 1), ("--strict", 2), ("migrate", 4)])
def test_settings_dependency_or_migration_that_fails_stops_the_start(
    programs: FakePrograms, failing: str, lines: int
) -> None:
    code, said = run(programs, "echo", "served", MIGRATE="true", FAILING=failing, **URLS)
    assert (code, len(said)) == (1, lines)
    assert failing in said[-1]
