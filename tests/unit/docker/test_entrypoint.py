"""docker/scripts/entrypoint.sh: what happens before the portal's server starts, in which order."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docker" / "scripts" / "entrypoint.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Stand-ins for python and wait-for-it.sh that say how they were called."""
    for name in ("python", "wait-for-it.sh"):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "{name} $*"\n[ "$2" != "$FAILING" ]\n')
        path.chmod(0o755)
    return tmp_path


def run(programs: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), *command],
        capture_output=True,
        text=True,
        env={"FAILING": "none", **environ, "PATH": f"{programs}:{os.environ['PATH']}"},
    )


def test_settings_then_dependencies_then_schema_then_command(programs: Path) -> None:
    done = run(
        programs,
        "echo",
        "served",
        DATABASE_URL="postgresql://user:p%40ss@db.example:6000/portal?x=1",
        REDIS_URL="redis://user:word@cache",
        MIGRATE="true",
    )
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "python -m app check",
            "wait-for-it.sh db.example:6000 --strict --timeout 60",
            "wait-for-it.sh cache:6379 --strict --timeout 60",
            "python -m app migrate create-admin",
            "served",
        ],
    )


def test_urls_are_read_from_files_too(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("postgresql://user:word@postgres/portal\n")
    done = run(
        programs,
        "true",
        DATABASE_URL_FILE=str(tmp_path / "database_url"),
        REDIS_URL="redis://redis:6379/0",
    )
    assert done.stdout.splitlines()[1] == ("wait-for-it.sh postgres:5432 --strict --timeout 60")
    assert "word" not in done.stdout


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
    programs: Path, migrate: str, seed: str, commands: list[str]
) -> None:
    urls = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache"}
    done = run(programs, "echo", "served", MIGRATE=migrate, SEED=seed, **urls)
    assert done.stdout.splitlines()[3:] == [*commands, "served"]


def test_failed_migration_stops_the_start(programs: Path) -> None:
    (programs / "python").write_text('#!/bin/sh\n[ "$3" != migrate ]\n')
    urls = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache"}
    done = run(programs, "echo", "served", MIGRATE="true", **urls)
    assert done.returncode == 1
    assert "served" not in done.stdout


def test_wrong_settings_stop_everything_else(programs: Path) -> None:
    done = run(programs, "echo", "served", FAILING="app")
    assert (done.returncode, done.stdout) == (1, "python -m app check\n")


def test_dependency_that_does_not_answer_stops_the_start(programs: Path) -> None:
    done = run(
        programs,
        "echo",
        "served",
        DATABASE_URL="postgresql://db/x",
        REDIS_URL="redis://cache",
        FAILING="--strict",
    )
    assert done.returncode == 1
    assert "served" not in done.stdout
