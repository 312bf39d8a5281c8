"""docker/postgres/start-postgres.sh, with a base image of three small scripts."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import run_script
from toolchain.setup.project import ROOT

pytestmark = pytest.mark.usefixtures("shell")
SCRIPT = ROOT / "docker" / "postgres" / "start-postgres.sh"
SECRETS = ("postgres_password", "migrator_password", "app_password", "backup_password")
INITDB = 'mkdir -p "$PGDATA/base"; echo 15 > "$PGDATA/PG_VERSION"; echo "filled: $*"'
POSTGRES = """
[ "$1" != --version ] || exec echo 'postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)'
cat > {root}/statements
echo "backend> $*"
"""
FULL = "printf 'name M used free\\nx 9 6 3\\n'"
SERVER = "postgres -c config_file=/etc/postgresql/postgresql.conf"


@dataclass(frozen=True)
class Container:
    """A folder that stands for the container's file system."""

    root: Path
    programs: FakePrograms
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.data.iterdir())

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = self.root / "start"
        text = SCRIPT.read_text().replace("/run/secrets", f"{self.root}/secrets")
        script.write_text(text.replace("/etc/postgresql/backup", f"{self.root}/backup"))
        environ = {"PGDATA": str(self.data), **self.environ}
        return run_script(script, *arguments, programs=self.programs, **environ)

    def refusal(self) -> str:
        """What a start said that has left the data as it was."""
        before = {path: path.read_bytes() for path in self.data.iterdir()}
        done = self.start()
        assert (done.returncode, done.stdout) == (1, "")
        assert {path: path.read_bytes() for path in self.data.iterdir()} == before
        return done.stderr


@pytest.fixture
def container(tmp_path: Path, programs: FakePrograms) -> Container:
    for folder in ("data", "secrets"):
        (tmp_path / folder).mkdir()
    for name in SECRETS:
        (tmp_path / "secrets" / name).write_text("word")
    (tmp_path / "backup-role.sql").write_text("the role of the backups\n")
    made = Container(tmp_path, programs)
    programs.put("docker-ensure-initdb.sh", INITDB)
    programs.put("docker-entrypoint.sh", 'echo "started: $*"')
    programs.put("postgres", POSTGRES.format(root=tmp_path))
    return made


def test_first_start_fills_the_data_folder_and_later_ones_leave_it_as_it_is(
    container: Container,
) -> None:
    done = container.start("postgres", "-c", "max_connections=9")
    assert done.stdout.splitlines() == [
        f"filled: {SERVER} -c max_connections=9",
        f"started: {SERVER} -c max_connections=9",
    ]
    assert container.files == ["PG_VERSION", "base"]
    assert container.data.stat().st_mode & 0o777 == 0o700
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


@pytest.mark.parametrize(
    ("data", "fakes", "last_line"),
    [
        (
            {"PG_VERSION": "15"},
            {"postgres": POSTGRES.replace("cat", "echo 'FATAL: broken' >&2; exit 1 #")},
            "should hold a database that starts (got an error, see above). Correct what it names; "
            'if files are damaged, restore a backup: docs/operations.md, "Data".',
        ),
        (
            {"PG_VERSION": "15"},
            {"postgres": POSTGRES.replace("cat", "exit 1 #"), "df": FULL},
            "should have 20 MB of room (got 3 MB). Enlarge the disk, or delete what is not the "
            "database's, then run `make up`.",
        ),
        (
            {},
            {"df": FULL},
            "should have 128 MB of room (got 3 MB). Enlarge the disk, or delete what is not the "
            "database's, then run `make up`.",
        ),
        (
            {"PG_VERSION": "15"},
            {"cp": "echo 'cp: cannot create file: Read-only file system' >&2; exit 1"},
            f"should be writable by user {os.getuid()} (got: Read-only file system). Mount it for "
            "writing, and make that user its owner.",
        ),
        (
            {"PG_VERSION": "9.6"},
            {},
            "should hold a database of PostgreSQL 15 (got version 9.6). Start the version of "
            "the stack that it was made with, take a backup, and restore that with this one: "
            'docs/operations.md, "Another major version of PostgreSQL".',
        ),
        (
            {"mine": "x"},
            {},
            "should be empty or hold a database (got files, but no PG_VERSION). Use another "
            "volume, or restore this one.",
        ),
    ],
)
def test_server_that_cannot_start_says_last_what_to_do(
    container: Container, data: dict[str, str], fakes: dict[str, str], last_line: str
) -> None:
    for name, text in data.items():
        (container.data / name).write_text(text)
    for name, body in fakes.items():
        container.programs.put(name, body.format(root=container.root))
    assert container.refusal().splitlines()[-1] == f"postgres: {container.data}: {last_line}"


@pytest.mark.parametrize("damaged", [b"", b"\0\0\0"])
def test_small_files_that_a_power_loss_damaged_are_mended(
    container: Container, damaged: bytes
) -> None:
    container.start()
    (container.data / "base" / "1").mkdir(parents=True)
    (container.data / "base" / "1" / "PG_VERSION").write_text("15\n")
    for name in ("PG_VERSION", "postgresql.auto.conf", "postmaster.pid"):
        (container.data / name).write_bytes(damaged)
    assert container.start().returncode == 0
    assert (container.data / "PG_VERSION").read_text() == "15\n"
    left = {path.name: path.read_bytes() for path in container.data.iterdir() if path.is_file()}
    kept = (
        {"postgresql.auto.conf": b""} if not damaged else {"postgresql.auto.conf.damaged": damaged}
    )
    assert left == {"PG_VERSION": b"15\n", **kept}


def test_interrupted_first_start_is_begun_again(container: Container) -> None:
    half = 'mkdir -p "$PGDATA/base"; touch "$PGDATA/PG_VERSION" "$PGDATA/half"; kill -9 $$'
    container.programs.put("docker-ensure-initdb.sh", half)
    assert container.start().returncode != 0
    assert not (container.data / "PG_VERSION").exists()
    container.programs.put("docker-ensure-initdb.sh", INITDB)
    done = container.start()
    assert done.stdout.splitlines() == [
        "postgres: an earlier first start was interrupted; starting over",
        f"filled: {SERVER}",
        f"started: {SERVER}",
    ]
    assert container.files == ["PG_VERSION", "base"]


def test_interrupted_move_is_begun_again(container: Container) -> None:
    unfinished = container.data / ".first-start"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("15\n")
    (container.data / "moved").mkdir()
    assert container.start().returncode == 0
    assert container.files == ["PG_VERSION", "base"]


@pytest.fixture
def guarded(container: Container) -> Container:
    """A container that begins with an empty folder only where it may."""
    container.environ["EMPTY_VOLUME"] = "refuse"
    return container


def test_empty_folder_is_refused_where_data_was_expected(guarded: Container) -> None:
    assert guarded.refusal() == (
        f"postgres: {guarded.data}: should hold the stack's database (got an empty volume). "
        "Bring the volume back; or, to start with an empty database on purpose, set "
        "devportal:postgres.fresh_start to a new word, such as the date, and run `make up`.\n"
    )


def test_permit_to_begin_empty_is_used_up(guarded: Container) -> None:
    (guarded.data / ".begin-empty").touch()
    assert guarded.start().returncode == 0
    assert guarded.files == ["PG_VERSION", "base"]
    assert guarded.start().stdout == f"started: {SERVER}\n"


def test_permit_holds_for_a_first_start_that_was_interrupted(guarded: Container) -> None:
    (guarded.data / ".begin-empty").touch()
    guarded.programs.put("docker-ensure-initdb.sh", "kill -9 $$")
    assert guarded.start().returncode != 0
    guarded.programs.put("docker-ensure-initdb.sh", INITDB)
    assert guarded.start().returncode == 0


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("text", ["", "\0\0\n"])
def test_missing_secret_is_named_before_anything_is_made(
    container: Container, name: str, text: str
) -> None:
    (container.root / "secrets" / name).write_text(text)
    assert container.refusal() == (
        f"postgres: {container.root}/secrets/{name}: should be a file with a password, "
        f"readable by user {os.getuid()} (got none). Run `make up`, which writes it again.\n"
    )


def test_other_commands_run_as_they_are(container: Container) -> None:
    assert container.start("psql", "--version").stdout == "started: psql --version\n"
