"""docker/backups/backups.sh, with a clock that only `sleep` moves and files for a database."""

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import run_script
from toolchain.setup.project import ROOT

pytestmark = pytest.mark.usefixtures("shell")
SCRIPT = "backups/backups.sh"
HOUR = 3600
START = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)

# As the real ones, but now is what stands in the file, and sleeping makes it later.
DATE = """
PATH=${{PATH#*:}}
case "$*" in
*-d*) exec date "$@" ;;
*) exec date "$@" -d "@$(cat {root}/clock)" ;;
esac
"""
SLEEP = """
later=$(($(cat {root}/clock) + $1))
[ $later -lt "$(cat {root}/end)" ] || kill -TERM $PPID
echo $later > {root}/clock
"""
# What snapshot.sql makes psql leave behind.
PSQL = """
for word in "$@"; do case $word in --set=folder=*) folder=${{word#*=*=}} ;; esac; done
echo '{{ "public.team" : 3 }}' > "$folder/tables"
echo 15.14 > "$folder/server_version"
echo 0001 > "$folder/revision"
echo dump > "$folder/database.dump"
touch "$folder/dumped"
"""


@dataclass(frozen=True)
class Service:
    """A folder that stands for the container's file system."""

    root: Path
    programs: FakePrograms

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def names(self) -> list[str]:
        return sorted(p.name for p in self.store.iterdir() if not p.name.startswith("."))

    def add_program(self, name: str, body: str) -> None:
        self.programs.put(name, body.format(root=self.root))

    def set_clock(self, moment: datetime, *, hours: float = 0) -> None:
        """Now, and how long `run` is to last."""
        (self.root / "clock").write_text(str(int(moment.timestamp())))
        (self.root / "end").write_text(str(int(moment.timestamp() + hours * HOUR)))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "BACKUP_STORE": str(self.store),
            "BACKUP_INTERVAL_SECONDS": str(6 * HOUR),
            "BACKUP_RETENTION_SECONDS": str(48 * HOUR),
            "BACKUP_CHECK_INTERVAL_SECONDS": str(24 * HOUR),
            "BACKUP_LONGEST_PAUSE_SECONDS": "7200",
        }
        return run_script(SCRIPT, *arguments, programs=self.programs, **environ)

    def take(self, moment: datetime) -> str:
        self.set_clock(moment)
        done = self.run("take")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def results(self) -> dict[str, str]:
        """The result of each trial by the backup's name."""
        found = {name: self.store / name / "check.json" for name in self.names}
        return {
            name: json.loads(path.read_text())["result"]
            for name, path in found.items()
            if path.exists()
        }


@pytest.fixture
def service(tmp_path: Path, programs: FakePrograms) -> Service:
    (tmp_path / "store").mkdir()
    made = Service(tmp_path, programs)
    made.add_program("date", DATE)
    made.add_program("sleep", SLEEP)
    made.add_program("psql", PSQL)
    made.add_program("check-backup", "exit 0")
    made.add_program("backups", f'exec sh {ROOT}/docker/{SCRIPT} "$@"')
    return made


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        # At once, then at whole multiples of the interval.
        ([(START, 15)], ["01T033000Z", "01T060000Z", "01T120000Z", "01T180000Z"]),
        ([(START, 1), (START.replace(hour=5), 0.5)], ["01T033000Z"]),
        ([(START, 1), (START.replace(hour=13), 0.5)], ["01T033000Z", "01T133000Z"]),
    ],
)
def test_restart_neither_repeats_a_backup_nor_leaves_one_out(
    service: Service, runs: list[tuple[datetime, float]], names: list[str]
) -> None:
    for moment, hours in runs:
        service.set_clock(moment, hours=hours)
        assert service.run("run").returncode == 0
    assert service.names == [f"202601{name}" for name in names]


def test_newest_backup_is_tried_out_once_an_interval(service: Service) -> None:
    service.set_clock(START, hours=30)
    service.run("run")
    assert service.results() == {"20260101T033000Z": "passed", "20260102T000000Z": "passed"}


def test_backup_after_one_that_could_not_be_restored_is_tried_out_at_once(
    service: Service,
) -> None:
    service.add_program("check-backup", 'echo "no good" >&2; exit 1')
    service.set_clock(START, hours=1)
    service.run("run")
    assert service.run("health").stderr.startswith(
        "backups: 20260101T033000Z: should be restorable (got: {"
    )
    service.add_program("check-backup", "exit 0")
    service.set_clock(START.replace(hour=6, minute=0), hours=1)
    service.run("run")
    assert service.results() == {"20260101T033000Z": "failed", "20260101T060000Z": "passed"}
    assert service.run("health").returncode == 0


def test_old_backups_go_but_never_the_newest_or_the_newest_that_is_known_to_be_good(
    service: Service,
) -> None:
    good, bad, newest = (service.take(START.replace(hour=hour)) for hour in (4, 5, 6))
    service.run("check", good)
    service.add_program("check-backup", "exit 1")
    service.run("check", newest)
    service.set_clock(START.replace(day=20))
    assert service.run("prune").stdout == f"removed {bad}\n"
    assert service.names == [good, newest]


def test_manifest_says_what_is_in_the_dump(service: Service) -> None:
    name = service.take(START)
    manifest = json.loads((service.store / name / "manifest.json").read_text())
    assert manifest == {
        "name": "20260101T033000Z",
        "started_at": "2026-01-01T03:30:00Z",
        "finished_at": "2026-01-01T03:30:00Z",
        "server_version": "15.14",
        "revision": "0001",
        "size_bytes": 5,
        "sha256": "71766c401d73e854443bd032bec52e54f0e527bfa81dcd0e8db0f1eca3cf035e",
        "tables": {"public.team": 3},
    }


def test_two_backups_of_one_second_have_names_of_their_own(service: Service) -> None:
    assert service.take(START) == "20260101T033000Z"
    assert service.take(START) == "20260101T033000Z-2"
    assert service.run("verify", "20260101T033000Z-2").returncode == 0


@pytest.mark.parametrize(
    "broken",
    ["echo 'FATAL: away' >&2; exit 2", PSQL.replace('touch "$folder/dumped"', "echo no >&2")],
    ids=["no server", "half a dump"],
)
def test_backup_that_fails_leaves_nothing_but_its_reason(service: Service, broken: str) -> None:
    service.add_program("psql", broken)
    service.set_clock(START)
    assert service.run("take").returncode == 1
    assert service.names == []
    assert service.run("health").stderr.startswith(
        "backups: the last backup should be taken (got: 2026-01-01T03:30:00Z "
    )
    service.add_program("psql", PSQL)
    service.take(START)
    assert service.run("health").returncode == 0


def test_failing_backup_is_tried_again_each_minute(service: Service) -> None:
    service.add_program("psql", "echo >> {root}/tries; exit 2")
    service.set_clock(START, hours=0.05)
    service.run("run")
    assert len((service.root / "tries").read_text()) == 3


def test_health_fails_when_a_backup_is_overdue(service: Service) -> None:
    service.take(START)
    service.set_clock(START.replace(hour=6, minute=30))
    assert service.run("health").returncode == 0
    service.set_clock(START.replace(hour=7, minute=0))
    assert refusal(service, "health") == (
        "backups: a backup should be taken every 21600 s (got: 3600 s late).\n"
    )


@pytest.mark.parametrize("has_another", [False, True])
def test_backup_that_takes_long_is_healthy_until_the_next_one_is_due(
    service: Service, has_another: bool
) -> None:
    """`up` would give the first one of much data up, and Swarm would end any."""
    if has_another:
        service.take(START)
    asked = "".join(
        f"echo $(($(cat {{root}}/clock) + {later})) > {{root}}/clock\n"
        "backups health >> {root}/said 2>&1 && echo healthy >> {root}/said\n"
        for later in (5, 5, 6 * HOUR - 11, 1)
    )
    service.add_program("psql", asked + PSQL)
    service.take(START.replace(hour=12, minute=0))
    late = "backups: a backup should be taken every 21600 s (got: {} s late)."
    first = "backups: the first backup should be taken (got none yet)."
    assert (service.root / "said").read_text().splitlines() == [
        late.format(6 * HOUR + 5) if has_another else first,
        "healthy",
        "healthy",
        late.format(12 * HOUR) if has_another else first,
    ]
    assert service.run("health").returncode == 0


def test_dump_that_was_changed_is_told_by_its_checksum(service: Service) -> None:
    name = service.take(START)
    (service.store / name / "database.dump").write_text("dumq\n")
    told = f"backups: {name}: should have the checksum of its manifest, "
    assert refusal(service, "verify", name).startswith(told)
    refusal(service, "check", name)
    assert service.results() == {name: "failed"}


def refusal(service: Service, *arguments: str) -> str:
    done = service.run(*arguments)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("name", ["", "20200101T000000Z", "../store", ".lock"])
def test_name_of_no_backup_is_refused(service: Service, name: str) -> None:
    assert refusal(service, "send", name) == (
        f"backups: {service.store}: should hold a whole backup of that name (got '{name}').\n"
    )


def test_folder_that_cannot_be_written_ends_the_service(service: Service) -> None:
    service.store.rmdir()
    assert refusal(service, "run") == (
        f"backups: {service.store}: should be writable by user {os.getuid()} (got: it is not). "
        "Make that user the owner of the folder.\n"
    )


@pytest.mark.parametrize("left", [b"", b"\0\0\0", b'{\n  "name": "x",\n'])
@pytest.mark.parametrize(
    ("file", "manifests"), [("manifest.json", [False, True]), ("check.json", [True])]
)
def test_what_a_power_loss_damaged_is_no_backup_and_no_result(
    service: Service, file: str, manifests: list[bool], left: bytes
) -> None:
    damaged = service.take(START)
    service.run("check", damaged)
    (service.store / damaged / file).write_bytes(left)
    (service.store / ".unfinished").mkdir()
    service.set_clock(START.replace(minute=40), hours=0.2)
    assert service.run("run").returncode == 0
    listed = [json.loads(line) for line in service.run("list").stdout.splitlines()]
    assert [line["manifest"] is not None for line in listed] == manifests
    assert listed[-1]["check"]["result"] == "passed"
    assert service.run("health").returncode == 0
    assert not (service.store / ".unfinished").exists()


def test_backup_of_a_clock_that_was_wrong_does_not_end_the_schedule(service: Service) -> None:
    service.take(START.replace(year=2099))
    service.set_clock(START, hours=1)
    service.run("run")
    assert service.names == ["20260101T033000Z", "20990101T033000Z"]


@pytest.mark.parametrize("is_taken_before", [False, True])
def test_tests_go_on_after_a_clock_that_was_wrong(service: Service, is_taken_before: bool) -> None:
    wrong = START.replace(year=2099)
    if is_taken_before:
        service.take(START)
        service.set_clock(wrong)
        service.run("check", "20260101T033000Z")
    else:
        service.set_clock(wrong, hours=1)
        service.run("run")
    service.set_clock(START, hours=1)
    service.run("run")
    checked = json.loads((service.store / "20260101T033000Z" / "check.json").read_text())
    assert checked["checked_at"] == "2026-01-01T03:30:00Z"


def test_reason_with_any_character_is_json(service: Service) -> None:
    name = service.take(START)
    service.add_program("check-backup", r"""printf 'a\033[1m "b"\r\n\\c' >&2; exit 1""")
    refusal(service, "check", name)
    check = json.loads(service.run("list").stdout)["check"]
    assert (check["result"], check["reason"]) == ("failed", "a[1m  b  /c")
