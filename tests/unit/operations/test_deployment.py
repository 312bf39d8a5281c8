"""What `make up` and the other targets refuse, create and run."""

import json
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from docker.models.containers import ExecResult

from infra.naming import CONTAINER
from operations import deployment
from operations.deployment import Deployment
from operations.stack import Stack, create_file
from tests.support.refusals import refusal
from tests.unit.operations.conftest import (
    MakeStack,
    calls,
    elsewhere,
    fake_container,
    given,
    write_state,
)
from toolchain.setup.atomic import write_file

pytestmark = pytest.mark.usefixtures("engine")
ON_DEV = "--stack dev"
RECORDED = Path(__file__).parent / "plans" / "privileged.jsonl"
AFTER_A_FAILURE = f"stack {ON_DEV} --non-interactive"
UP = "up --refresh --suppress-outputs --policy-pack policy --yes --skip-preview --x"


@pytest.mark.parametrize(
    ("target", "called", "elsewhere"),
    [
        ("preview", "preview --refresh --policy-pack policy --x", "--diff"),
        ("refresh", "refresh --yes --skip-preview --suppress-outputs --x", "--diff"),
        ("down", "destroy --yes --skip-preview --x", "--suppress-progress"),
        ("output", "stack output --x", ""),
        ("drift", "refresh --preview-only --expect-no-changes --diff --x", "--diff"),
    ],
)
def test_target_runs_pulumi_and_gives_its_exit_code(
    stack: Stack, target: str, called: str, elsewhere: str
) -> None:
    write_state(stack)
    write_file(stack.root / "ends", "exit 5\n")
    assert Deployment(stack, ["--x"]).run(target) == 5
    assert Deployment(stack, ["--x"], interactive=True).run(target) == 5
    logged = f"{called} {elsewhere}".strip()
    assert calls(stack) == [
        f"{logged} {ON_DEV} --non-interactive",
        AFTER_A_FAILURE,
        f"{called} {ON_DEV}",
        AFTER_A_FAILURE,
    ]


@pytest.mark.parametrize(
    ("state", "code", "called"),
    [
        (
            True,
            0,
            [f"{UP} --diff {ON_DEV} --non-interactive", f"stack output {ON_DEV} --non-interactive"],
        ),
        (True, 3, [f"{UP} --diff {ON_DEV} --non-interactive", AFTER_A_FAILURE]),
        (
            False,
            0,
            [
                f"up --x --help {ON_DEV} --non-interactive",
                f"stack select --create {ON_DEV} --non-interactive",
                f"{UP} --suppress-progress {ON_DEV} --non-interactive",
                f"stack output {ON_DEV} --non-interactive",
            ],
        ),
    ],
)
def test_outputs_stand_at_the_end_of_a_success_alone(
    stack: Stack, state: bool, code: int, called: list[str]
) -> None:
    if state:
        write_state(stack)
    write_file(stack.root / "ends", f"exit {code}\n")
    assert Deployment(stack, ["--x"]).run("up") == code
    assert calls(stack) == called


def test_drift_tells_what_a_refresh_cannot_see(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    container = {"type": CONTAINER, "urn": "urn", "id": "1", "outputs": {"name": "redis"}}
    write_state(stack, json.dumps({"checkpoint": {"latest": {"resources": [container]}}}))
    server, stranger = fake_container("server", "postgres"), fake_container("by-hand", "app")
    server.id, server.exec_run.return_value = "1", ExecResult(0, b"")
    engine.containers.list.return_value = [server, stranger]
    assert Deployment(stack).run("drift") == 7
    assert capsys.readouterr().out == (
        "\ncontainer 'by-hand': should be in the stack's state (got: it is not).\n"
        "    why  nothing of the stack minds it, and `make down` cannot remove its image\n"
        "    run  docker rm --force --volumes by-hand\n"
    )


def test_drift_ends_with_what_to_do(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    write_state(stack)
    assert Deployment(stack).run("drift") == 0
    assert capsys.readouterr().out == ""
    write_file(stack.root / "ends", "exit 7\n")
    assert Deployment(stack).run("drift") == 7
    assert capsys.readouterr().out == (
        "drift: what differs was changed by hand or has failed; `make up STACK=dev` puts it back\n"
    )


@pytest.mark.parametrize("target", ["up", "preview"])
def test_rule_that_stops_a_plan_is_told_last(
    stack: Stack, capfd: pytest.CaptureFixture[str], target: str
) -> None:
    write_state(stack)
    write_file(
        stack.root / "ends",
        f'cp {RECORDED} "${{PULUMI_OPTION_EVENT_LOG:-ignored}}"\n'
        "echo error: preview failed >&2; exit 255\n",
    )
    assert Deployment(stack).run(target) == 255
    assert capfd.readouterr().err == (
        "error: preview failed\n"
        "container redis: should not be privileged (got privileged). Remove it.\n"
    )


REFRESHED = """\
~ pulumi:pulumi:Stack: (refresh)
    [urn=urn:pulumi:dev::devportal::pulumi:pulumi:Stack::devportal-dev]
        ~ docker:index/container:Container: (refresh)
            [id=1]
            --outputs:--
          + gateway: "172.18.0.1"
          ~ ports  : [
              ~ [0]: {
                    external: 8000
                }
            ]
            ~ pulumi-python:dynamic/devportal:Readiness: (refresh)
                [id=2]
warning: memory: should suffice
"""
PLANNED = """\
        ~ docker:index/container:Container: (update)
            [id=1]
          ~ memory: 512 => 300
Resources:
    ~ 1 to update
"""


def test_plan_shows_what_would_change_without_what_the_refresh_read_and_colour_marks(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    write_state(stack)
    marked = "  <{%fg 1%}>1 errored<{%reset%}> 100%\n"
    (stack.root / "shown").write_text(REFRESHED + PLANNED + marked)
    write_file(stack.root / "ends", f"cat {stack.root}/shown\n")
    assert Deployment(stack).run("preview") == 0
    shown = f"warning: memory: should suffice\n{PLANNED}  1 errored 100%\n"
    assert capfd.readouterr().out == shown


@pytest.mark.parametrize("target", ["up", "preview", "refresh"])
def test_wrong_settings_end_a_target_before_pulumi_starts(stack: Stack, target: str) -> None:
    write_state(stack)
    write_file(stack.file, "config: {devportal:environment: dev, devportal:retain_data: 2}\n")
    assert refusal(Deployment(stack).run, target) == (
        "devportal:environment: should be 'development' or 'production' (got 'dev'). Correct it in "
        "Pulumi.dev.yaml.\n"
        "devportal:retain_data: should be true or false (got 2). Correct it in Pulumi.dev.yaml."
    )
    assert calls(stack) == []


@pytest.mark.parametrize("target", ["preview", "refresh", "drift", "down", "output"])
def test_stack_that_was_never_brought_up_is_named(stack: Stack, target: str) -> None:
    assert refusal(Deployment(stack).run, target) == (
        f"stack dev: should have a state (got none under {stack.root}/state/.pulumi/stacks/"
        "devportal). Run `make up STACK=dev`."
    )
    assert calls(stack) == []
    write_file(stack.root / "ends", "echo \"error: no stack named 'dev' found\" >&2; exit 255\n")
    assert refusal(Deployment(elsewhere(stack)).run, target) == (
        "stack dev: should have a state (got none in the backend of PULUMI_BACKEND_URL). Run `make "
        "up STACK=dev`."
    )


def test_stack_that_cannot_be_created_is_named(make_stack: MakeStack) -> None:
    stack = make_stack("mine")
    write_file(stack.root / "ends", "echo no such backend >&2; exit 5\n")
    assert refusal(Deployment(stack).run, "up") == (
        "stack mine: `pulumi stack` should succeed (got: no such backend). Correct that and run "
        "this again."
    )
    assert calls(stack) == ["stack select --create --stack mine --non-interactive"]
    assert stack.file.exists()


def test_argument_that_pulumi_does_not_know_makes_no_stack(make_stack: MakeStack) -> None:
    stack = make_stack("mine")
    write_file(stack.root / "ends", "echo error: unknown flag: --typo >&2; exit 1\n")
    assert refusal(Deployment(stack, ["--typo"]).run, "up") == (
        "stack mine: `pulumi up` should succeed (got: error: unknown flag: --typo). Correct that "
        "and run this again."
    )
    assert calls(stack) == ["up --typo --help --stack mine --non-interactive"]


def test_stack_with_an_engine_of_its_own_gets_its_images_there(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(stack)
    write_file(stack.file, "config: {devportal:environment: development, docker:host: tcp://a:1}")
    write_file(stack.root / "ends", 'echo "$DEVPORTAL_IMAGE_SOURCE" >> calls\n')
    monkeypatch.setattr(
        deployment,
        "set_up",
        lambda project, console: {"DEVPORTAL_IMAGE_SOURCE": project.environ["DOCKER_HOST"]},
    )
    assert Deployment(stack).run("preview") == 0
    assert calls(stack)[1:] == ["tcp://a:1"]


KEEPING = [
    "--exclude-protected",
    "--exclude",
    "**:GeneratedSecret::*",
    "--exclude",
    "**:GeneratedCertificate::*",
]


@pytest.mark.parametrize(
    ("name", "interactive", "confirmed", "up", "down"),
    [
        ("dev", True, False, ["--yes", "--skip-preview"], ["--yes", "--skip-preview"]),
        ("dev", False, False, ["--yes", "--skip-preview"], ["--yes", "--skip-preview"]),
        ("prod", True, False, [], KEEPING),
        ("prod", True, True, ["--yes"], [*KEEPING, "--yes"]),
        ("prod", False, True, ["--yes"], [*KEEPING, "--yes"]),
    ],
)
def test_production_alone_asks_only_on_a_terminal_and_keeps_its_data(
    make_stack: MakeStack,
    name: str,
    interactive: bool,
    confirmed: bool,
    up: list[str],
    down: list[str],
) -> None:
    deployed = Deployment(make_stack(name), [], interactive, confirmed)
    common = ["up", "--refresh", "--suppress-outputs", "--policy-pack", "policy"]
    assert deployed.up_arguments() == [*common, *up]
    assert deployed.down_arguments() == ["destroy", *down]


def test_removal_of_production_tells_what_stays_and_how_to_delete_it(
    make_stack: MakeStack, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    stack = make_stack("prod")
    write_state(stack)
    assert Deployment(stack, confirmed=True).run("down") == 0
    assert capfd.readouterr().out == (
        "stack prod: its data stays, with the secrets that belong to it. To delete the data, set "
        "devportal:retain_data to false and devportal:policies.protected_data to advisory, run "
        "`make up STACK=prod`, then this again.\n"
    )


def test_secrets_go_with_data_that_is_not_retained(make_stack: MakeStack) -> None:
    stack = make_stack("prod")
    write_file(
        stack.file, "config: {devportal:environment: production, devportal:retain_data: false}\n"
    )
    assert Deployment(stack, confirmed=True).down_arguments() == [
        "destroy",
        "--exclude-protected",
        "--yes",
    ]


def test_production_is_not_removed_unasked(make_stack: MakeStack) -> None:
    stack = make_stack("prod")
    write_state(stack)
    assert Deployment(stack).up_arguments()[-1] == "--yes"
    assert refusal(Deployment(stack).run, "down") == (
        "stack prod: removing production should be confirmed (got no terminal to ask on). "
        "Run `make down STACK=prod ARGS=--yes`."
    )
    assert calls(stack) == []


@pytest.mark.parametrize(
    ("name", "code", "called", "left", "said"),
    [
        ("dev", 0, True, True, "stack dev: its state is removed\n"),
        ("mine", 0, True, False, "stack mine: its state and Pulumi.mine.yaml are removed\n"),
        ("mine", 4, False, True, ""),
    ],
)
def test_stack_is_removed_with_the_file_that_was_made_for_it_and_no_other(
    make_stack: MakeStack,
    name: str,
    code: int,
    called: bool,
    left: bool,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = make_stack(name)
    create_file(stack)
    write_state(stack)
    capsys.readouterr()
    write_file(stack.root / "ends", f"exit {code}\n")
    assert Deployment(stack, remove=True).run("down") == code
    removal = f"stack rm --yes --preserve-config --stack {name} --non-interactive"
    assert (removal in calls(stack)) is called
    assert stack.file.exists() is left
    assert capsys.readouterr().out == said


def test_stack_without_its_file_is_removed_if_pulumi_removes_what_it_holds(
    make_stack: MakeStack,
) -> None:
    stack = make_stack("mine")
    write_state(stack)
    assert Deployment(stack, remove=True).run("down") == 0
    assert calls(stack)[-1] == "stack rm --yes --preserve-config --stack mine --non-interactive"


@pytest.mark.parametrize("backend", [{}, {"PULUMI_BACKEND_URL": "s3://states"}])
def test_removal_that_is_asked_for_twice_succeeds(
    make_stack: MakeStack, backend: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    stack = given(make_stack("mine"), **backend)
    write_file(stack.root / "ends", "echo \"error: no stack named 'mine' found\" >&2; exit 255\n")
    assert Deployment(stack, remove=True).run("down") == 0
    assert capsys.readouterr().out == "stack mine: there is nothing to remove\n"


def test_state_is_not_removed_while_it_opens_data_that_stays(make_stack: MakeStack) -> None:
    stack = make_stack("prod")
    write_state(stack)
    assert refusal(Deployment(stack, confirmed=True, remove=True).run, "down") == (
        "stack prod: should keep no data to be removed (got devportal:retain_data true): its state "
        "has what opens them. To delete the data, set devportal:retain_data to false and "
        "devportal:policies.protected_data to advisory, run `make up STACK=prod`, then this again."
    )
    assert calls(stack) == []
