"""Every argument of every target is read as it was written, and checked first."""

import os
import re
import subprocess

import pytest

from operations.arguments import ON_STACK, TARGETS, command_line, parse
from tests.support.refusals import refusal
from toolchain.setup.project import ROOT


@pytest.mark.parametrize(
    ("words", "environ", "line"),
    [
        ([], {}, ["help"]),
        (["ps"], {}, ["ps"]),
        (["ps"], {"STACK": "my stack", "ARGS": ""}, ["ps", "--stack=my stack"]),
        (["lint"], {"STACK": "dev"}, ["lint"]),
        (["restore"], {"BACKUP": "x y"}, ["restore", "--backup=x y"]),
        (
            ["exec"],
            {"ROLE": "app", "CMD": "echo 'a b'"},
            ["exec", "--role=app", "--cmd=echo 'a b'"],
        ),
        (["rollback"], {"VERSION": "1", "CMD": "x"}, ["rollback", "--version=1"]),
        (["lock"], {"REASON": "it's"}, ["lock", "--reason=it's"]),
        (["test"], {"ARGS": "-k 'a or b' tests"}, ["test", "-k", "a or b", "tests"]),
    ],
)
def test_variables_of_make_follow_the_target(
    words: list[str], environ: dict[str, str], line: list[str]
) -> None:
    assert command_line(words, environ) == line


@pytest.mark.parametrize("target", ON_STACK)
@pytest.mark.parametrize("name", ["My", "my stack", "", "-x", "b_-x", "a" * 32, "a;b"])
def test_stack_name_is_checked_by_every_target(target: str, name: str) -> None:
    assert refusal(parse, [target, f"--stack={name}"]) == (
        "stack name: should be 1 to 31 lower-case letters and digits, with single '-' or '_' "
        f"between them (got '{name}'). Choose another name."
    )


def test_wrong_words_are_refused_with_where_the_right_ones_are() -> None:
    assert refusal(command_line, ["up"], {"ARGS": "it's"}) == (
        'ARGS: should be words as a shell reads them (got "it\'s": No closing quotation). '
        "Close the quotes."
    )
    assert refusal(parse, ["logs", "--rol", "x"]) == (
        "ARGS: should be what `make logs ARGS=--help` lists (got: unrecognized arguments: --rol "
        "x). Correct it and run this again."
    )
    assert refusal(parse, ["logs", "--tail=-5"]) == (
        "ARGS: should be what `make logs ARGS=--help` lists (got: argument --tail: should be a "
        "whole number (got '-5')). Correct it and run this again."
    )
    assert refusal(parse, ["logs", "--since=h"]) == (
        "ARGS: should be what `make logs ARGS=--help` lists (got: argument --since: should be a "
        "time such as 10m, 1h30m, 2026-11-25 or 2026-11-25T06:00:00 (got 'h')). Correct it and run "
        "this again."
    )
    assert refusal(parse, ["lgos"]) == (
        "target: should be one of those that `make help` lists (got 'lgos'). Choose one."
    )


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["preview", "--stack", "x", "--diff", "--target", "a b"], ["--diff", "--target", "a b"]),
        (["test", "-k", "a or b", "tests/unit"], ["-k", "a or b", "tests/unit"]),
        (["bench", "--help"], ["--help"]),
    ],
)
def test_what_a_target_does_not_know_goes_to_what_it_runs(
    words: list[str], extra: list[str]
) -> None:
    assert parse(words).extra == extra


@pytest.mark.parametrize("target", [t for t in TARGETS if t not in ("bench", "setup")])
def test_help_of_every_target_tells_what_it_does(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([target, "--help"])
    assert ended.value.code == 0
    assert TARGETS[target].split(";")[0] in " ".join(capsys.readouterr().out.split())


def test_makefile_has_every_target() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    [names] = re.findall(r"^TARGETS = (.*)$", text, re.MULTILINE)
    assert sorted(names.split()) == sorted(TARGETS)


@pytest.mark.parametrize("since", ["10m", "1h30m", "2s", "2026-11-25", "2026-11-25T06:00:00.5Z"])
def test_time_of_logs_is_what_the_engine_reads(since: str) -> None:
    assert parse(["logs", f"--since={since}"]).since == since


def test_roles_are_a_word_or_several() -> None:
    words = ["logs", "--role=app, nginx", "--role=redis migrations"]
    assert parse(words).role == ["app", "nginx", "redis", "migrations"]


def test_make_hands_every_value_over_as_it_was_written_on_its_command_line() -> None:
    environ = {**os.environ, "MAKEFLAGS": "", "ROLE": "of another program"}
    given = "my \"stack\" 'x'; exit $HOME $(x) 0"
    command = ["make", "--no-print-directory", "ps", f"STACK={given}"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert f"(got '{given}')" in done.stderr
    assert done.returncode == 2
    command = ["make", "--no-print-directory", "--eval=shown: ; @echo [$$ROLE]", "shown"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.stdout == "[]\n"
