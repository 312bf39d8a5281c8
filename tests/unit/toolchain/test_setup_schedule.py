"""The order of the set-up's steps, and what happens to the others when one fails."""

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError
from toolchain.setup.schedule import Schedule
from toolchain.setup.work import Work


@dataclass
class FakeStep:
    """A part that is made by calling `action`."""

    name: str
    after: tuple[str, ...] = ()
    action: Callable[[Work], None] = lambda work: None
    made: bool = False
    runs: int = 0
    purpose: str = "make it"
    keeps: bool = True

    def find(self) -> str | None:
        return "made" if self.made else None

    def run(self, work: Work) -> None:
        self.runs += 1
        self.action(work)
        self.made = self.keeps


def run(tmp_path: Path, *steps: FakeStep) -> str:
    """Run the steps; what the user saw, on no terminal."""
    screen = io.StringIO()
    Schedule(steps, Console(screen), tmp_path / "logs").run()
    return screen.getvalue()


def test_step_runs_after_those_it_depends_on(tmp_path: Path) -> None:
    order: list[str] = []
    steps = [
        FakeStep("last", ("middle",), lambda work: order.append("last")),
        FakeStep("middle", ("first",), lambda work: order.append("middle")),
        FakeStep("first", (), lambda work: order.append("first")),
    ]
    run(tmp_path, *steps)
    assert order == ["first", "middle", "last"]


def test_independent_steps_run_side_by_side(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=30)
    run(
        tmp_path,
        FakeStep("one", action=lambda work: void(meeting.wait())),
        FakeStep("two", action=lambda work: void(meeting.wait())),
    )
    assert not meeting.broken


def test_step_that_is_done_is_not_run(tmp_path: Path) -> None:
    done = FakeStep("cli", made=True)
    assert run(tmp_path, done) == "[1/1] cli: ready (made)\n"
    assert done.runs == 0


def test_failure_is_raised_and_later_steps_are_not_started(tmp_path: Path) -> None:
    later = FakeStep("later", ("broken",))
    with pytest.raises(SetupError) as error:
        run(tmp_path, FakeStep("broken", action=fail), later)
    assert str(error.value) == "broken: should work (got nothing). Mend it."
    assert later.runs == 0


def test_failure_ends_the_commands_of_steps_beside_it(tmp_path: Path) -> None:
    sleeping = threading.Event()
    endless = FakeStep(
        "endless",
        action=lambda work: work.run(
            ["sh", "-c", "echo started; sleep 600"], on_line=lambda line: sleeping.set()
        ),
    )

    def fail_beside_it(work: Work) -> None:
        sleeping.wait(30)
        fail(work)

    broken = FakeStep("broken", action=fail_beside_it)
    with pytest.raises(SetupError):
        run(tmp_path, endless, broken)
    assert sleeping.is_set()
    assert not endless.made


def test_second_run_goes_on_where_the_first_was_interrupted(tmp_path: Path) -> None:
    first, second = FakeStep("first"), FakeStep("second", ("first",), fail)
    with pytest.raises(SetupError):
        run(tmp_path, first, second)
    second.action = lambda work: None
    run(tmp_path, first, second)
    assert (first.runs, second.runs) == (1, 2)


def test_part_that_is_not_there_after_its_step_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        run(tmp_path, FakeStep("cli", keeps=False))
    assert str(error.value) == (
        "[1/1] cli: should be there after it was made (got nothing). "
        f"Read {tmp_path}/logs/cli.log, and run this again."
    )


def test_failing_command_is_told_with_its_last_lines(tmp_path: Path) -> None:
    script = "for n in $(seq 1 20); do echo line $n; done; exit 3"
    with pytest.raises(SetupError) as error:
        run(tmp_path, FakeStep("cli", action=lambda work: work.run(["sh", "-c", script])))
    tail = "".join(f"\n    line {number}" for number in range(9, 21))
    assert str(error.value) == (
        "[1/1] cli: `sh` should end with 0 (got 3). Mend what its last lines say and run this "
        f"again; it goes on from here.{tail}\n    Whole output: {tmp_path}/logs/cli.log"
    )
    assert (tmp_path / "logs" / "cli.log").read_text().splitlines()[0] == "line 1"


def test_missing_program_is_told_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        run(tmp_path, FakeStep("cli", action=lambda work: work.run(["no-such-program"])))
    assert str(error.value) == (
        "[1/1] cli: no-such-program should start (got: No such file or directory). "
        "Install it, or repair it, and run this again."
    )


def fail(work: Work) -> None:
    raise SetupError("broken: should work (got nothing). Mend it.")


def void(value: object) -> None:
    """Take a value and give none, so that a call fits where nothing is returned."""
