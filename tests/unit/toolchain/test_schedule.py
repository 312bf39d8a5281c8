"""The order of the set-up's steps, what they print, and what happens when one fails."""

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.errors import UserError
from tests.support.refusals import refusal
from toolchain.setup import console as console_module
from toolchain.setup import setup
from toolchain.setup.atomic import write_file
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step, run_steps
from toolchain.setup.work import Work


class FakeStep(Step):
    """A part that is made by calling `action`."""

    purpose = "make it"

    def __init__(
        self,
        name: str,
        action: Callable[[Work], object] = lambda work: None,
        *,
        after: tuple[str, ...] = (),
        found: str | None = None,
        keeps: bool = True,
    ) -> None:
        super().__init__(Project(Path("/"), {}))
        self.name = name
        self.action = action
        self.after = after
        self.found = found
        self.keeps = keeps
        self.runs = 0

    def find(self) -> str | None:
        return self.found

    def run(self, work: Work) -> None:
        self.runs += 1
        self.action(work)
        self.found = "made" if self.keeps else None


def run(tmp_path: Path, *steps: FakeStep) -> list[str]:
    """Run the steps; what the user saw, on no terminal."""
    screen = io.StringIO()
    project = Project(tmp_path, {"HOME": "/", "XDG_CACHE_HOME": str(tmp_path)})
    run_steps(steps, project, Console(screen))
    return screen.getvalue().splitlines()


def fail(work: Work) -> None:
    raise UserError("broken: should work (got nothing). Correct it.")


def failure(tmp_path: Path, *steps: FakeStep) -> str:
    return refusal(run, tmp_path, *steps)


def test_step_runs_after_those_it_depends_on(tmp_path: Path) -> None:
    order: list[str] = []
    names = ("first", "middle", "last")
    steps = [
        FakeStep(name, lambda work: order.append(work.label), after=names[:index])
        for index, name in enumerate(names)
    ]
    run(tmp_path, *steps)
    assert order == ["[1/3] first", "[2/3] middle", "[3/3] last"]


def test_independent_steps_run_side_by_side(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=30)
    run(tmp_path, *(FakeStep(name, lambda work: meeting.wait()) for name in ("one", "two")))
    assert not meeting.broken


def test_step_that_is_done_is_not_run(tmp_path: Path) -> None:
    done = FakeStep("cli", found="3.256.0")
    assert run(tmp_path, done) == ["[1/1] cli: ready (3.256.0)"]
    assert done.runs == 0


def test_wall_and_processor_time_of_a_step_are_printed(tmp_path: Path) -> None:
    busy = ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done"]
    last = run(tmp_path, FakeStep("cli", lambda work: work.run(busy)))[-1]
    times = re.fullmatch(r"\[1/1\] cli: done in (\S+) s, (\S+) s of CPU \(made\)", last)
    assert times is not None
    assert float(times[2]) > 0


def test_failure_is_raised_and_later_steps_are_not_started(tmp_path: Path) -> None:
    later = FakeStep("later", after=("broken",))
    told = failure(tmp_path, FakeStep("broken", fail), later)
    assert told == "broken: should work (got nothing). Correct it."
    assert later.runs == 0


def test_failure_ends_the_commands_of_steps_beside_it(tmp_path: Path) -> None:
    sleeping = threading.Event()

    def sleep(work: Work) -> None:
        work.run(["sh", "-c", "echo x; sleep 600"], on_line=lambda line: sleeping.set())

    def fail_meanwhile(work: Work) -> None:
        assert sleeping.wait(30)
        fail(work)

    endless = FakeStep("endless", sleep)
    failure(tmp_path, endless, FakeStep("broken", fail_meanwhile))
    assert endless.find() is None


def test_part_that_is_not_there_after_its_step_is_a_failure(tmp_path: Path) -> None:
    assert failure(tmp_path, FakeStep("cli", keeps=False)) == (
        "[1/1] cli: should be there after it was made (got nothing). "
        f"Read {tmp_path}/devportal/logs/cli.log, and run this again."
    )


def test_failing_command_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    script = "for n in $(seq 1 20); do echo line $n; done; exit 3"
    told = failure(tmp_path, FakeStep("cli", lambda work: work.run(["sh", "-c", script])))
    tail = "".join(f"\n    line {number}" for number in range(9, 21))
    assert told == (
        "[1/1] cli: `sh` should end with 0 (got 3). Correct what its last lines name and run this "
        f"again; it goes on from here.{tail}\n    Whole output: {tmp_path}/devportal/logs/cli.log"
    )
    assert (tmp_path / "devportal" / "logs" / "cli.log").read_text().splitlines()[0] == "line 1"


def test_missing_program_is_reported_without_a_traceback(tmp_path: Path) -> None:
    assert failure(tmp_path, FakeStep("cli", lambda work: work.run(["no-such-program"]))) == (
        "[1/1] cli: no-such-program should start (got: No such file or directory). "
        "Install it, or repair it, and run this again."
    )


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> FakeStep:
    """The only step of the set-up."""
    made = FakeStep("part")
    monkeypatch.setattr(setup, "list_steps", lambda project, **options: [made])
    monkeypatch.setattr(setup, "describe_environment", lambda project: {"PATH": "/bin"})
    return made


def test_first_run_makes_what_is_missing_and_the_second_prints_one_line(
    part: FakeStep, project: Project, screen: io.StringIO
) -> None:
    write_file(project.places.go / "build" / "package", "")
    setup.set_up(project, Console(io.StringIO()))
    assert (part.runs, project.places.go.exists()) == (1, False)
    assert setup.set_up(project, Console(screen)) == {"PATH": "/bin"}
    assert screen.getvalue().startswith("set-up: ready (")
    assert screen.getvalue().count("\n") == 1


def test_cache_of_go_stays_for_go_vet_where_it_is_to(part: FakeStep, tmp_path: Path) -> None:
    project = Project(tmp_path, {"HOME": str(tmp_path), setup.KEEP_GO_CACHE: "1"})
    write_file(project.places.go / "build" / "package", "")
    for runs in (1, 1):
        setup.set_up(project, Console(io.StringIO()))
        assert (part.runs, project.places.go.exists()) == (runs, True)


def test_environment_of_a_machine_that_is_not_ready_is_refused_and_nothing_is_made(
    part: FakeStep, project: Project
) -> None:
    needed = [lambda project: part]
    assert refusal(setup.ready_environment, project, needed) == (
        "part: should be there (got nothing). Run `make up` first, or `make setup`."
    )
    assert not project.places.home.exists()
    part.found = "there"
    assert setup.ready_environment(project, needed) == {"PATH": "/bin"}


def test_progress_is_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module.time, "monotonic", iter([0.0, 5.0, 16.0]).__next__)
    screen = io.StringIO()
    written = Console(screen)
    for state in ("at once", "after 5 s", "after 16 s"):
        written.show("cli", state)
    assert screen.getvalue() == "cli: after 16 s\n"
