"""`make history`, `versions` and `rollback`: what is listed, and what a rollback sets."""

import json
import re
from typing import Any
from unittest.mock import MagicMock

import pytest

from operations.arguments import parse
from operations.deployment import Deployment
from operations.runs import only_run
from operations.stack import Stack
from operations.versions import print_history, print_versions, rollback
from tests.support.refusals import refusal
from tests.unit.operations.conftest import MakeStack, calls, fake_container, write_state
from toolchain.setup.atomic import write_file

ALL = "There are: 3 (333333333333), 2 (222222222222), 1 (111111111111), 1 (0ddddddddddd)."
OLD, FIRST, SECOND, THIRD = (
    f"sha256:{start}{start[-1] * 62}" for start in ("0d", "11", "22", "33")
)
UP = (
    "up --refresh --suppress-outputs --policy-pack policy --yes --diff --stack prod "
    "--non-interactive"
)


def image(id_: str, version: str, day: int) -> MagicMock:
    labels = {"org.opencontainers.image.version": version}
    made = MagicMock(id=id_, labels=labels)
    made.attrs = {"Created": f"2026-11-{day}T06:00:00.123Z"}
    return made


def running(id_: str, status: str = "running") -> MagicMock:
    made = fake_container(f"app-{id_[7]}", "app", status=status)
    made.attrs["Image"] = id_
    return made


@pytest.fixture
def prod(make_stack: MakeStack, engine: MagicMock) -> Stack:
    """A production stack with four versions, of which the third runs."""
    stack = make_stack("prod")
    write_state(stack, json.dumps({"checkpoint": {"latest": {"resources": [{"id": "a"}]}}}))
    built = [image(OLD, "1", 10), image(FIRST, "1", 11), image(THIRD, "3", 13)]
    engine.images.list.return_value = [*built, image(SECOND, "2", 12)]
    engine.containers.list.return_value = [running(THIRD)]
    return stack


def roll_back(stack: Stack, *words: str) -> int:
    return rollback(stack, parse(["rollback", "--stack=prod", *words]), Deployment(stack))


def set_image(id_: str) -> str:
    return f"config set --path devportal:app.image {id_} --stack prod --non-interactive"


def test_versions_are_listed_from_the_newest(
    prod: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [running(THIRD, "exited"), running(SECOND)]
    print_versions(prod, parse(["versions"]))
    assert capsys.readouterr().out == (
        "VERSION  IMAGE         BUILT                STATE\n"
        "3        333333333333  2026-11-13T06:00:00  failed\n"
        "2        222222222222  2026-11-12T06:00:00  runs\n"
        "1        111111111111  2026-11-11T06:00:00  -\n"
        "1        0ddddddddddd  2026-11-10T06:00:00  -\n"
    )
    engine.images.list.assert_called_once_with(
        filters={"label": ["devportal.stack=prod", "devportal.role=app"]}
    )


@pytest.mark.parametrize(
    ("used", "words", "chosen"),
    [
        ([THIRD], [], SECOND),
        ([SECOND], [], FIRST),
        # The newest failed, and the one before serves.
        ([SECOND, THIRD], [], SECOND),
        ([THIRD], ["--version=2"], SECOND),
        ([THIRD], ["--version=0ddd"], OLD),
        ([THIRD], [f"--version={FIRST}"], FIRST),
    ],
)
def test_rollback_brings_up_the_version_before_or_the_one_that_is_named(
    used: list[str],
    words: list[str],
    chosen: str,
    prod: Stack,
    engine: MagicMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    states = ["running", "exited"]
    engine.containers.list.return_value = [
        running(id_, state) for id_, state in zip(used, states, strict=False)
    ]
    assert roll_back(prod, *words) == 0
    assert calls(prod)[:2] == [set_image(chosen), UP]
    name = {OLD: "1", FIRST: "1", SECOND: "2"}[chosen]
    shown = f"{name} ({chosen.removeprefix('sha256:')[:12]})"
    assert capsys.readouterr().out.splitlines() == [
        f"rollback: Pulumi.prod.yaml: devportal:app.image is {shown}",
        f"rollback: stack prod runs {shown}, until `make rollback STACK=prod ARGS=--forward` lets "
        "it run what the clone builds",
    ]


def test_way_forward_takes_the_image_out_of_the_settings(prod: Stack) -> None:
    assert refusal(roll_back, prod, "--forward") == (
        "stack prod: should be rolled back (got no devportal:app.image). `make up STACK=prod` "
        "brings it up to date."
    )
    write_file(
        prod.file,
        f"config: {{devportal:environment: production, devportal:app: {{image: '{SECOND}'}}}}",
    )
    assert roll_back(prod, "--forward") == 0
    forward = "config rm --path devportal:app.image --stack prod --non-interactive"
    assert calls(prod)[:2] == [forward, UP]


def test_rollback_sets_nothing_while_another_run_holds_the_stack(
    prod: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """That one may be about to read the settings."""
    with only_run(prod):
        assert "no other run should hold it" in refusal(roll_back, prod)
    assert calls(prod) == []
    assert capsys.readouterr().out == ""


def test_failed_rollback_leaves_the_settings_as_they_were(
    prod: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    before = prod.file.read_bytes()
    # The last call stands last in the record.
    failing_up = f"tail -n 1 {prod.root}/calls | grep -q '^up' && exit 4"
    write_file(prod.root / "ends", f"{failing_up}; echo '# changed' >> {prod.file}\n")
    assert roll_back(prod) == 4
    assert prod.file.read_bytes() == before
    assert capsys.readouterr().out.endswith("rollback: Pulumi.prod.yaml is what it was before\n")


@pytest.mark.parametrize(
    ("settings", "words", "message"),
    [
        ("", ["--version=9"], f"VERSION: should name one version of stack prod (got '9'). {ALL}"),
        ("", ["--version=1"], f"VERSION: should name one version of stack prod (got '1'). {ALL}"),
        (
            "devportal:app: {image: lab/portal:4}",
            [],
            "devportal:app.image: should be left to `make rollback` (got 'lab/portal:4'). Set it "
            "to the image that you want and run `make up STACK=prod`.",
        ),
        (
            "devportal:app: {reload: true}",
            [],
            "stack prod: should run the code of its image to be rolled back (got "
            "devportal:app.reload). Check the version before out.",
        ),
    ],
)
def test_wrong_rollback_is_answered_with_what_there_is(
    settings: str, words: list[str], message: str, prod: Stack
) -> None:
    write_file(prod.file, f"config: {{devportal:environment: production, {settings}}}")
    assert refusal(roll_back, prod, *words) == message
    assert calls(prod) == []


@pytest.mark.parametrize("settings", ["", ", devportal:app: ", ", devportal:app: {image: }"])
def test_empty_settings_of_the_portal_name_no_image(prod: Stack, settings: str) -> None:
    # Pulumi writes a group where there is none.
    text = "config: {devportal:environment: production}"
    setting = f"[ \"$1\" != config ] || echo '{text}' > {prod.file}"
    write_file(prod.root / "ends", f"{setting}\n")
    write_file(prod.file, f"config: {{devportal:environment: production{settings}}}")
    assert roll_back(prod) == 0
    assert calls(prod)[0] == set_image(SECOND)


def test_oldest_version_has_none_before_it(prod: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [running(OLD)]
    assert refusal(roll_back, prod) == (
        "VERSION: should be given where there is none before the one that runs of stack prod (got "
        f"''). {ALL}"
    )
    engine.images.list.return_value = []
    assert refusal(roll_back, prod) == (
        "stack prod: should have images of the portal (got none). Run `make up STACK=prod`."
    )


def test_history_has_a_row_for_each_run(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"git.head": "0123456789abcdef", "git.dirty": "true", "git.committer": "Ada"}
    run: dict[str, Any] = {
        "startTime": "2026-11-25T06:00:00.000Z",
        "kind": "update",
        "result": "succeeded",
        "message": "Add search\n\nBody",
        "environment": known,
        "resourceChanges": {"same": 9, "update": 1, "create": 2},
    }
    bare = {"startTime": "2026-11-24T06:00:00Z", "kind": "refresh", "result": "failed"}
    write_file(stack.root / "history", json.dumps([run, bare]))
    write_file(stack.root / "ends", f"cat {stack.root}/history\n")
    print_history(stack, parse(["history", "--count=2"]))
    rows = [re.split("  +", line.rstrip()) for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["STARTED", "WHAT", "RESULT", "CHANGED", "COMMIT", "COMMITTER", "SUBJECT"],
        [
            *("2026-11-25T06:00:00", "update", "succeeded", "2 create, 1 update"),
            *("0123456789+", "Ada", "Add search"),
        ],
        ["2026-11-24T06:00:00", "refresh", "failed", "-", "-", "-", "-"],
    ]
    assert calls(stack) == ["stack history --json --page-size=2 --stack dev --non-interactive"]
    write_file(stack.root / "ends", "echo 'error: no stack named dev' >&2; exit 1\n")
    assert refusal(print_history, stack, parse(["history"])) == (
        "stack dev: should have a history (got: error: no stack named dev). Run `make up "
        "STACK=dev`."
    )
