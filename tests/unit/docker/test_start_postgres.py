"""docker/postgres/start-postgres.sh, with a base image of three small scripts."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docker" / "postgres" / "start-postgres.sh"
SECRETS = ("postgres_password", "migrator_password", "app_password", "backup_password")
INITDB = 'mkdir -p "$PGDATA/base"; echo 15 > "$PGDATA/PG_VERSION"; echo "filled: $*"'
SERVER = "postgres -c config_file=/etc/postgresql/postgresql.conf"


@dataclass(frozen=True)
class Container:
    """A folder that stands for the container's file system."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "data"

    def add_program(self, name: str, body: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = self.root / "start"
        text = SCRIPT.read_text().replace("/run/secrets", f"{self.root}/secrets")
        script.write_text(text.replace("/etc/postgresql/backup", f"{self.root}/backup"))
        environ = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "PGDATA": str(self.data)}
        return subprocess.run(
            ["sh", str(script), *arguments],
            capture_output=True,
            text=True,
            env={**environ, **self.environ},
        )


@pytest.fixture
def container(tmp_path: Path) -> Container:
    for folder in ("bin", "data", "secrets"):
        (tmp_path / folder).mkdir()
    for name in SECRETS:
        (tmp_path / "secrets" / name).write_text("word")
    (tmp_path / "backup-role.sql").write_text("the role of the backups\n")
    made = Container(tmp_path)
    made.add_program("docker-ensure-initdb.sh", INITDB)
    made.add_program("docker-entrypoint.sh", 'echo "started: $*"')
    made.add_program("postgres", f'cat > {tmp_path}/statements; echo "backend> $*"')
    return made


def test_first_start_fills_the_data_folder_and_starts_the_server(container: Container) -> None:
    done = container.start("postgres", "-c", "max_connections=9")
    assert done.stdout.splitlines() == [
        f"filled: {SERVER} -c max_connections=9",
        f"started: {SERVER} -c max_connections=9",
    ]
    assert sorted(path.name for path in container.data.iterdir()) == ["PG_VERSION", "base"]
    assert container.data.stat().st_mode & 0o777 == 0o700


def test_later_start_leaves_the_data_as_it_is(container: Container) -> None:
    container.start()
    assert container.start().stdout == f"started: {SERVER}\n"


def test_later_start_gives_the_roles_the_passwords_of_today(container: Container) -> None:
    container.start()
    assert not (container.root / "statements").exists()
    (container.root / "secrets" / "app_password").write_text("it's new")
    container.start()
    assert (container.root / "statements").read_text().splitlines() == [
        "the role of the backups",
        "ALTER ROLE postgres PASSWORD 'word';",
        "ALTER ROLE devportal_migrator PASSWORD 'word';",
        "ALTER ROLE devportal_user PASSWORD 'it''s new';",
        "ALTER ROLE devportal_backup PASSWORD 'word';",
    ]


def test_lock_of_a_server_that_was_killed_is_taken_away(container: Container) -> None:
    container.start()
    (container.data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert container.start().returncode == 0
    assert not (container.data / "postmaster.pid").exists()


def test_server_is_not_started_with_passwords_it_did_not_take(container: Container) -> None:
    container.start()
    container.add_program("postgres", "echo 'FATAL: broken' >&2; exit 1")
    done = container.start()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "FATAL: broken",
        f"postgres: {container.data}: should take the roles' passwords (got an error, see above).",
    ]


def test_interrupted_first_start_is_begun_again(container: Container) -> None:
    half = 'mkdir -p "$PGDATA/base"; touch "$PGDATA/PG_VERSION" "$PGDATA/half"; kill -9 $$'
    container.add_program("docker-ensure-initdb.sh", half)
    assert container.start().returncode != 0
    assert not (container.data / "PG_VERSION").exists()
    container.add_program("docker-ensure-initdb.sh", INITDB)
    done = container.start()
    assert done.stdout.splitlines() == [
        "postgres: an earlier first start was interrupted; starting over",
        f"filled: {SERVER}",
        f"started: {SERVER}",
    ]
    assert sorted(path.name for path in container.data.iterdir()) == ["PG_VERSION", "base"]


def test_interrupted_move_is_begun_again(container: Container) -> None:
    unfinished = container.data / ".first-start"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("15\n")
    (container.data / "moved").mkdir()
    assert container.start().returncode == 0
    assert sorted(path.name for path in container.data.iterdir()) == ["PG_VERSION", "base"]


@pytest.fixture
def guarded(container: Container) -> Container:
    """A container that begins with an empty folder only where it may."""
    container.environ["EMPTY_VOLUME"] = "refuse"
    return container


def test_empty_folder_is_refused_where_data_was_expected(guarded: Container) -> None:
    done = guarded.start()
    assert (done.returncode, done.stderr) == (
        1,
        f"postgres: {guarded.data}: should hold the stack's database (got an empty volume). "
        "Bring the volume back; or, to start with an empty database on purpose, set "
        "devportal:postgres.fresh_start to a new word, such as the date, and run `make up`.\n",
    )
    assert list(guarded.data.iterdir()) == []


def test_permit_to_begin_empty_is_used_up(guarded: Container) -> None:
    (guarded.data / ".begin-empty").touch()
    assert guarded.start().returncode == 0
    assert sorted(path.name for path in guarded.data.iterdir()) == ["PG_VERSION", "base"]
    assert guarded.start().stdout == f"started: {SERVER}\n"


def test_permit_holds_for_a_first_start_that_was_interrupted(guarded: Container) -> None:
    (guarded.data / ".begin-empty").touch()
    guarded.add_program("docker-ensure-initdb.sh", "kill -9 $$")
    assert guarded.start().returncode != 0
    guarded.add_program("docker-ensure-initdb.sh", INITDB)
    assert guarded.start().returncode == 0


def test_files_that_are_no_database_are_left_alone(container: Container) -> None:
    (container.data / "mine").write_text("x")
    done = container.start()
    assert (done.returncode, done.stderr) == (
        1,
        f"postgres: {container.data}: should be empty or hold a database "
        "(got files, but no PG_VERSION). Use another volume, or restore this one.\n",
    )
    assert (container.data / "mine").exists()


@pytest.mark.parametrize("name", SECRETS)
def test_missing_secret_is_named_before_anything_is_made(container: Container, name: str) -> None:
    (container.root / "secrets" / name).write_text("")
    done = container.start()
    assert (done.returncode, done.stderr) == (
        1,
        f"postgres: {container.root}/secrets/{name}: should be a file with a password, "
        f"readable by user {os.getuid()} (got none). Mount it.\n",
    )
    assert list(container.data.iterdir()) == []


def test_other_commands_run_as_they_are(container: Container) -> None:
    assert container.start("psql", "--version").stdout == "started: psql --version\n"
