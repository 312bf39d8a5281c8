"""docker/postgres/prepare-database.sh, with a stand-in for psql."""

import subprocess
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import run_script
from toolchain.setup.project import ROOT

pytestmark = pytest.mark.usefixtures("shell")
SCRIPT = ROOT / "docker" / "postgres" / "prepare-database.sh"
ROLES = {"migrator": "devportal_migrator", "app": "devportal_user", "backup": "devportal_backup"}
PSQL = """
case "$*" in
    --version) echo 'psql (PostgreSQL) 15.14' ;;
    *server_version_num*) {answer} ;;
    *shobj_description*) echo "$OWNER" ;;
    *password*) cat >> {root}/passwords ;;
    *--file=-*) cat > {root}/statements ;;
esac
"""
LEAD = "postgres: devportal:postgres.external_url: should"


def prepare(
    folder: Path, programs: FakePrograms, answer: str, owner: str = ""
) -> subprocess.CompletedProcess[str]:
    (folder / "secrets").mkdir()
    for name in ROLES:
        (folder / "secrets" / f"{name}_password").write_text(f"{name} word")
    programs.put("psql", PSQL.format(answer=answer, root=folder))
    script = folder / "prepare"
    script.write_text(SCRIPT.read_text().replace("/run/secrets", f"{folder}/secrets"))
    environ = {"PGUSER": "boss", "STACK": "prod", "OWNER": owner}
    return run_script(script, programs=programs, **environ)


def test_database_roles_and_passwords_are_made_and_no_command_line_has_a_password(
    tmp_path: Path, programs: FakePrograms
) -> None:
    done = prepare(tmp_path, programs, "echo '15|t'", owner="stack prod")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "CREATE DATABASE devportal" in (tmp_path / "statements").read_text()
    assert (tmp_path / "passwords").read_text() == "".join(f"{n} word\n{n} word\n" for n in ROLES)
    assert not [call for call in programs.calls if " word" in call]
    assert [call.split()[-1] for call in programs.calls if "password" in call] == [*ROLES.values()]
    assert sum("--username=" in call for call in programs.calls) == len(ROLES)


def test_server_that_warns_of_something_suffices(tmp_path: Path, programs: FakePrograms) -> None:
    warning = 'WARNING:  database "postgres" has a collation version mismatch'
    done = prepare(tmp_path, programs, f"echo '{warning}' >&2; echo '15|t'")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            "echo 'psql: error: no route' >&2; exit 2",
            f"{LEAD} lead to a server that lets its user in (got: psql: error: no route). Correct "
            "it, or let this machine reach that server.",
        ),
        (
            "echo '16|t'",
            f"{LEAD} lead to PostgreSQL 14 to 15 (got 16). Use a server of such a version.",
        ),
        (
            "echo '13|t'",
            f"{LEAD} lead to PostgreSQL 14 to 15 (got 13). Use a server of such a version.",
        ),
        (
            "echo '15|f'",
            f"{LEAD} name a role that may create roles and databases (got boss). Run `ALTER ROLE "
            '"boss" CREATEROLE CREATEDB` as its administrator, or name another.',
        ),
    ],
)
def test_server_that_does_not_suffice_is_refused_before_anything_is_made(
    answer: str, told: str, tmp_path: Path, programs: FakePrograms
) -> None:
    done = prepare(tmp_path, programs, answer)
    assert (done.returncode, done.stderr.strip()) == (1, told)
    assert not (tmp_path / "statements").exists()


def test_database_of_another_stack_is_left_as_it_is(tmp_path: Path, programs: FakePrograms) -> None:
    done = prepare(tmp_path, programs, "echo '15|t'", owner="stack staging")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"{LEAD} lead to a server that no other stack uses (got: it is stack staging's). Use "
        "another, or hand it over with `COMMENT ON ROLE devportal_migrator IS NULL`.",
    )
    assert not (tmp_path / "statements").exists()
