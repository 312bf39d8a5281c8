"""What `make up` and the other targets refuse, create and run."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.errors import UserError
from operations import deployment
from operations.deployment import Deployment
from operations.passphrase import check_passphrase
from operations.stack import Stack
from tests.unit.operations.conftest import MakeStack, calls, write_state
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE

AFTER_A_FAILURE = "stack --stack dev --non-interactive"


@pytest.fixture(autouse=True)
def _settings_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deployment, "_check_settings", lambda self: 0)


def refusal(stack: Stack, target: str) -> str:
    with pytest.raises(UserError) as error:
        Deployment(stack).run(target)
    return str(error.value)


@pytest.mark.parametrize(
    ("target", "called"),
    [
        ("preview", "preview --refresh --diff --stack dev --non-interactive"),
        ("refresh", "refresh --yes --skip-preview --diff --stack dev --non-interactive"),
        ("down", "destroy --yes --skip-preview --diff --stack dev --non-interactive"),
        ("output", "stack output --diff --stack dev --non-interactive"),
        (
            "drift",
            "refresh --preview-only --expect-no-changes --diff --diff --stack dev "
            "--non-interactive",
        ),
    ],
)
def test_target_runs_pulumi_and_gives_its_exit_code(stack: Stack, target: str, called: str) -> None:
    write_state(stack)
    write_file(stack.root / "ends", "exit 5\n")
    assert Deployment(stack, ["--diff"]).run(target) == 5
    assert calls(stack) == [called, AFTER_A_FAILURE]


@pytest.mark.parametrize(
    ("code", "called"), [(0, ["up", "stack output"]), (3, ["up", AFTER_A_FAILURE])]
)
def test_outputs_stand_at_the_end_of_a_success_alone(
    stack: Stack, code: int, called: list[str]
) -> None:
    write_state(stack)
    write_file(stack.root / "ends", f"exit {code}\n")
    assert Deployment(stack).run("up") == code
    ran = calls(stack)
    assert len(ran) == len(called)
    assert all(line.startswith(start) for line, start in zip(ran, called, strict=True))


@pytest.mark.parametrize("target", ["up", "preview", "refresh"])
def test_wrong_settings_end_a_target_before_pulumi_starts(
    stack: Stack, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deployment, "_check_settings", lambda self: 1)
    write_state(stack)
    assert Deployment(stack).run(target) == 1
    assert calls(stack) == []


@pytest.mark.parametrize("target", ["preview", "refresh", "drift", "down", "output"])
def test_stack_that_was_never_brought_up_is_named(stack: Stack, target: str) -> None:
    assert refusal(stack, target) == (
        f"stack dev: should have a state (got none under {stack.root}/state/.pulumi/stacks/"
        "devportal). Run `make up STACK=dev`."
    )
    assert calls(stack) == []


def test_stack_that_cannot_be_created_is_named(make_stack: MakeStack) -> None:
    stack = make_stack("mine")
    write_file(stack.root / "ends", "echo no such backend >&2; exit 5\n")
    assert refusal(stack, "up") == (
        "stack mine: `pulumi stack` should succeed (got: no such backend). Correct that and run "
        "this again."
    )
    assert calls(stack) == ["stack select --create --stack mine --non-interactive"]
    assert stack.file.exists()


@pytest.mark.parametrize(
    ("name", "interactive", "confirmed", "arguments"),
    [
        ("dev", True, False, ["--yes", "--skip-preview"]),
        ("dev", False, False, ["--yes", "--skip-preview"]),
        ("prod", True, False, []),
        ("prod", True, True, ["--yes"]),
        ("prod", False, False, ["--yes"]),
    ],
)
def test_production_alone_asks_and_only_on_a_terminal(
    make_stack: MakeStack, name: str, interactive: bool, confirmed: bool, arguments: list[str]
) -> None:
    deployed = Deployment(make_stack(name), [], interactive, confirmed)
    assert deployed.up_arguments() == ["up", "--refresh", "--suppress-outputs", *arguments]


@pytest.mark.parametrize(
    ("interactive", "confirmed", "arguments"), [(True, False, []), (False, True, ["--yes"])]
)
def test_production_is_removed_without_its_data(
    make_stack: MakeStack, interactive: bool, confirmed: bool, arguments: list[str]
) -> None:
    deployed = Deployment(make_stack("prod"), [], interactive, confirmed)
    assert deployed.down_arguments() == ["destroy", "--exclude-protected", *arguments]


def test_production_is_not_removed_unasked(make_stack: MakeStack) -> None:
    stack = make_stack("prod")
    write_state(stack)
    assert refusal(stack, "down") == (
        "stack prod: removing production should be confirmed (got no terminal to ask on). "
        "Run `make down STACK=prod ARGS=--yes`."
    )
    assert calls(stack) == []


@pytest.mark.parametrize(
    ("environ", "got"),
    [
        ({}, "none"),
        ({"PULUMI_CONFIG_PASSPHRASE": ""}, "none"),
        (
            {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
            "development's, which everyone knows",
        ),
    ],
)
def test_production_wants_a_passphrase_of_its_own(environ: dict[str, str], got: str) -> None:
    with pytest.raises(UserError) as error:
        check_passphrase(Stack("prod", environ=environ))
    assert str(error.value) == (
        f"stack prod: production should have a passphrase of its own (got {got}). "
        "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE and run this again."
    )


def test_passphrase_in_a_file_opens_production(tmp_path: Path) -> None:
    write_file(tmp_path / "passphrase", "of our own\n")
    check_passphrase(
        Stack("prod", environ={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")})
    )


def test_passphrase_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UserError) as error:
        check_passphrase(Stack("prod", environ={"PULUMI_CONFIG_PASSPHRASE_FILE": "/no/file"}))
    assert str(error.value) == (
        "PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read "
        "(got '/no/file': No such file or directory). Set it to the file with the passphrase."
    )


def test_passphrase_of_another_stack_is_named_after_the_failure(stack: Stack) -> None:
    write_state(stack)
    write_file(stack.root / "ends", "echo 'error: incorrect passphrase' >&2; exit 255\n")
    assert refusal(stack, "output") == (
        "stack dev: PULUMI_CONFIG_PASSPHRASE should be the passphrase of its secrets (got "
        "another). Set it to that one; unset it for a development stack."
    )


def test_settings_are_checked_by_the_program_itself(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str], **options: object) -> object:
        ran.append(command[1:])
        return type("Done", (), {"returncode": 1})

    monkeypatch.setattr(deployment.subprocess, "run", run)
    assert Deployment(stack).run("up") == 1
    assert ran == [["-m", "infra.settings", "dev"]]
