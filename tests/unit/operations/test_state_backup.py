"""A stack's state in a file that only its passphrase opens."""

import argparse
import json
import resource
import signal
from pathlib import Path

import pytest

from operations.stack import Stack
from operations.state_backup import back_up_state, restore_state
from tests.support.refusals import refusal
from tests.unit.operations.conftest import MakeStack, calls, given, write_state
from toolchain.setup.atomic import write_file

STATE = {"version": 3, "deployment": {"resources": [{"urn": "of-a-resource"}]}}
EMPTY = {"version": 3, "deployment": {}}


def export(stack: Stack, state: object) -> None:
    """Let `pulumi stack export` print a state, and keep what an import is given."""
    write_file(stack.root / "exported", json.dumps(state))
    script = 'case "$2" in export) cat exported ;; import) cat > imported ;; esac\n'
    write_file(stack.root / "ends", script)


def options(file: Path, *, yes: bool = False) -> argparse.Namespace:
    return argparse.Namespace(file=str(file), yes=yes)


@pytest.fixture
def saved(stack: Stack, tmp_path: Path) -> Path:
    """The file of a development stack; its engine is empty again."""
    export(stack, STATE)
    file = tmp_path / "saved.state"
    back_up_state(stack, options(file))
    export(stack, EMPTY)
    return file


def test_state_and_settings_come_back_from_a_file_that_hides_both(
    stack: Stack, saved: Path
) -> None:
    settings = stack.file.read_text()
    assert saved.stat().st_mode & 0o777 == 0o600
    assert b"of-a-resource" not in saved.read_bytes()
    stack.file.unlink()
    # The template's salt is gone with the file, so the passphrase has to be said.
    restore_state(given(stack, PULUMI_CONFIG_PASSPHRASE="devportal-development"), options(saved))
    assert stack.file.read_text() == settings
    assert json.loads((stack.root / "imported").read_text()) == STATE
    assert "stack select --create --stack dev --non-interactive" in calls(stack)


def test_file_that_a_full_disk_cuts_off_is_none(stack: Stack, tmp_path: Path) -> None:
    """It would look like the last copy of the state, and keep the next from taking its name."""
    export(stack, STATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(OSError, match="too large") as raised:
            back_up_state(stack, options(tmp_path / "saved.state"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert raised.value.filename == str(tmp_path / "saved.state")
    assert not (tmp_path / "saved.state").exists()


def test_settings_stay_where_the_state_does_not_come_back(stack: Stack, saved: Path) -> None:
    """While another run holds it, for one."""
    write_file(stack.file, f"{stack.file.read_text()}# of today\n")
    before = stack.file.read_text()
    write_file(stack.root / "ends", '[ "$2" != import ] || { echo locked >&2; exit 255; }\n')
    assert "`pulumi stack` should succeed (got: locked)" in refusal(
        restore_state, stack, options(saved)
    )
    assert stack.file.read_text() == before


def test_state_with_resources_is_replaced_only_when_asked_to(stack: Stack, saved: Path) -> None:
    write_state(stack, json.dumps({"checkpoint": {"latest": STATE["deployment"]}}))
    assert refusal(restore_state, stack, options(saved)) == (
        "stack dev: should have no state (got one with resources). To lose it, add ARGS=--yes."
    )
    assert not (stack.root / "imported").exists()
    restore_state(stack, options(saved, yes=True))
    assert (stack.root / "imported").exists()


def test_state_that_is_cut_off_is_replaced_unasked(stack: Stack, saved: Path) -> None:
    write_state(stack, '{"checkpoint"')
    restore_state(stack, options(saved))
    assert json.loads((stack.root / "imported").read_text()) == STATE


@pytest.mark.parametrize("damage", ["cut", "other", "passphrase"])
def test_file_that_does_not_open_changes_nothing(stack: Stack, saved: Path, damage: str) -> None:
    data = saved.read_bytes()
    saved.write_bytes({"cut": data[:-9], "other": b"text", "passphrase": data}[damage])
    if damage == "passphrase":
        write_file(stack.root / ".secrets" / "dev.passphrase", "another")
    assert refusal(restore_state, stack, options(saved)) == (
        f"{saved}: should be whole, and under the passphrase of stack dev (got a file that does "
        "not open). Set that passphrase, or take another file."
    )
    assert not (stack.root / "imported").exists()


def test_wrong_file_or_stack_is_named(make_stack: MakeStack, stack: Stack, saved: Path) -> None:
    assert refusal(restore_state, stack, options(Path("none"))) == (
        "ARGS: should name a file of `make state-backup` (got 'none'). Use ARGS='--file NAME'."
    )
    assert refusal(back_up_state, stack, options(saved)) == (
        f"ARGS: --file should name a new file (got '{saved}', which is there). Choose another."
    )
    other = make_stack("prod")
    write_file(other.root / ".secrets" / "prod.passphrase", "devportal-development")
    assert refusal(restore_state, other, options(saved)) == (
        f"{saved}: should be of stack prod (got dev). Run this with STACK=dev."
    )
    write_file(stack.root / "ends", "echo 'no stack named dev' >&2; exit 1\n")
    assert refusal(back_up_state, stack, options(saved)) == (
        "stack dev: should have a state (got: no stack named dev). Run `make up STACK=dev`."
    )
