"""No secret is seen where somebody without the passphrase can look."""

import json
import subprocess

import pytest

from tests.support.make import run
from tests.support.portal_stack import PortalStack

_SHOW_FILES = "for file in /run/secrets/*; do cat $file; echo; done"


@pytest.fixture(scope="module")
def secret_values(running_stack: PortalStack) -> list[str]:
    """Every generated secret of the stack, and every file made from one."""
    names = [r["urn"] for r in running_stack.export() if r["type"].endswith("GeneratedSecret")]
    files = {
        role: running_stack.run_in(role, "sh", "-c", _SHOW_FILES).split()
        for role in ("app", "adminer", "redis-commander", "postgres")
    }
    values = [line for lines in files.values() for line in lines]
    passwords = {value.rpartition("@")[0].rpartition(":")[2] or value for value in values}
    assert len(passwords) >= len(names) == 9
    return sorted(passwords)


def pulumi(stack: PortalStack, *arguments: str) -> str:
    return subprocess.run(
        ["pulumi", *arguments, "--stack", stack.name, "--color", "never"],
        cwd=stack.project,
        env=stack.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def assert_clean(text: str, secrets: list[str]) -> None:
    assert text
    assert [value for value in secrets if value in text] == []


def test_inspect_shows_no_secret(running_stack: PortalStack, secret_values: list[str]) -> None:
    for container in running_stack.containers():
        assert_clean(json.dumps(container.attrs), secret_values)


def test_image_history_shows_no_secret(
    running_stack: PortalStack, secret_values: list[str]
) -> None:
    for container in running_stack.containers():
        history = running_stack.client.images.get(container.attrs["Image"]).history()
        assert_clean(json.dumps(history), secret_values)


def test_logs_show_no_secret(running_stack: PortalStack, secret_values: list[str]) -> None:
    for container in running_stack.containers():
        assert_clean(f"{container.name}\n{container.logs().decode()}", secret_values)


def test_plan_shows_no_secret(running_stack: PortalStack, secret_values: list[str]) -> None:
    assert_clean(pulumi(running_stack, "preview", "--diff"), secret_values)
    assert_clean(pulumi(running_stack, "preview", "--json"), secret_values)


def test_state_and_outputs_show_no_secret(
    running_stack: PortalStack, secret_values: list[str]
) -> None:
    assert_clean(pulumi(running_stack, "stack", "export"), secret_values)
    assert_clean(pulumi(running_stack, "stack", "output", "--json"), secret_values)
    assert_clean(running_stack.log.read_text(), secret_values)


def test_passphrase_of_another_stack_is_told(running_stack: PortalStack) -> None:
    target = ("make", "--no-print-directory", "preview", f"STACK={running_stack.name}")
    done = run(running_stack, "env", "PULUMI_CONFIG_PASSPHRASE=another", *target)
    assert done.code != 0
    assert (
        f"stack {running_stack.name}: PULUMI_CONFIG_PASSPHRASE should give the passphrase that its "
        "secrets are under (got another). Set it to that one; unset it where the set-up's own is "
        "meant.\n"
    ) in done.err
