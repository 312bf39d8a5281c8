"""Which passphrase opens which stack."""

from pathlib import Path

import pytest

from operations.deployment import Deployment
from operations.passphrase import check_passphrase
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import write_state
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE


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
def test_production_wants_a_passphrase_of_its_own(
    environ: dict[str, str], got: str, tmp_path: Path
) -> None:
    assert refusal(check_passphrase, Stack("prod", environ, tmp_path)) == (
        f"stack prod: production should have a passphrase of its own (got {got}). Write "
        "one into .secrets/prod.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again."
    )


def test_passphrase_in_a_file_opens_production(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    production = Stack("prod", {"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}, tmp_path)
    assert refusal(check_passphrase, production) == (
        f"PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read (got '{file}': No such "
        "file or directory). Set it to the file with the passphrase."
    )
    file.write_bytes(b"\xff\0")
    assert refusal(check_passphrase, production) == (
        f"PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read (got '{file}': no text). "
        "Set it to the file with the passphrase."
    )
    write_file(file, "of our own\n")
    check_passphrase(production)


def test_passphrase_of_another_stack_is_named_after_the_failure(stack: Stack) -> None:
    write_state(stack)
    write_file(stack.root / "ends", "echo 'error: incorrect passphrase' >&2; exit 255\n")
    assert refusal(Deployment(stack).run, "output") == (
        "stack dev: PULUMI_CONFIG_PASSPHRASE should be the passphrase of its secrets (got "
        "another). Set it to that one."
    )


@pytest.mark.parametrize("given", [{}, {"PULUMI_CONFIG_PASSPHRASE": "of another stack"}])
def test_each_stack_has_its_own_passphrase_in_one_shell(
    stack: Stack, given: dict[str, str]
) -> None:
    write_file(stack.root / "Pulumi.dev.yaml", "encryptionsalt: v1:of-the-template\n")
    write_file(stack.root / "Pulumi.mine.yaml", "encryptionsalt: v1:of-the-template\n")
    write_file(stack.root / ".secrets" / "prod.passphrase", "of our own\n")
    chosen = {
        name: Stack(name, given, stack.root).pulumi_environ
        for name in ("dev", "mine", "prod", "other")
    }
    assert chosen == {
        "dev": {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
        "mine": {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
        "prod": {"PULUMI_CONFIG_PASSPHRASE_FILE": f"{stack.root}/.secrets/prod.passphrase"},
        "other": given,
    }
