"""`python -m app`: what it says, and what it loads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from tests.unit.app.conftest import ENVIRONMENT

_ROOT = Path(__file__).resolve().parents[3]


def run_portal(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """`python` with the portal's environment and none of the caller's."""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **ENVIRONMENT}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env={**environment, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_check_accepts_a_complete_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "check: the environment is complete\n"


def test_check_prints_every_mistake_and_ends_with_2(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SECRET_KEY", "short")
    environment.setenv("APP_ENV", "test")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == (
        "APP_ENV: should be 'development' or 'production' (got 'test'). Set another.\n"
        "SECRET_KEY: should be 32 to 1024 printable characters, with no space at either end (got "
        "5 characters). Set another.\n"
    )


def test_commands_name_every_secret_that_they_lack_before_any_runs(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("MIGRATION_DATABASE_URL")
    environment.delenv("ADMIN_PASSWORD")
    assert main(["check"]) == 0
    assert main(["migrate", "create-admin"]) == 2
    assert capsys.readouterr().err == (
        "MIGRATION_DATABASE_URL: should be set for migrate (got nothing). "
        "Set MIGRATION_DATABASE_URL or MIGRATION_DATABASE_URL_FILE.\n"
        "ADMIN_PASSWORD: should be set for create-admin (got nothing). "
        "Set ADMIN_PASSWORD or ADMIN_PASSWORD_FILE.\n"
    )


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("command", "start", "end"),
    [
        (
            "migrate",
            "migrate: PostgreSQL should accept the migrator's connection (got: ",
            "Check MIGRATION_DATABASE_URL.\n",
        ),
        (
            "seed",
            "seed: PostgreSQL should accept the rows (got: ",
            "Check DATABASE_URL, and that `migrate` ran first.\n",
        ),
    ],
)
def test_database_away_is_told_on_one_line(
    capsys: pytest.CaptureFixture[str], command: str, start: str, end: str
) -> None:
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (said.startswith(start), said.endswith(end)) == (True, True)
    assert "pw@" not in said


def test_server_tells_a_wrong_environment_without_a_traceback() -> None:
    found = run_portal("-c", "import app.main; app.main.app", SECRET_KEY="short")
    assert (found.returncode, found.stderr) == (
        2,
        "SECRET_KEY: should be 32 to 1024 printable characters, with no space at either end (got "
        "5 characters). Set another.\n",
    )


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [("app.__main__", "sqlalchemy"), ("app.migrate", "sqlalchemy"), ("app.main", "alembic")],
)
def test_start_loads_nothing_it_does_not_need(module: str, unloaded: str) -> None:
    found = run_portal("-c", f"import sys, {module}; print({unloaded!r} in sys.modules)")
    assert found.stdout == "False\n"
