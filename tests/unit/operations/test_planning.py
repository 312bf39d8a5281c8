"""What `make review` and `graph` print, and that they change nothing."""

import pytest

from operations.deployment import Deployment
from operations.planning import print_review
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import calls, given
from toolchain.setup.atomic import write_file


@pytest.mark.parametrize(
    ("backend", "asked"), [({}, []), ({"PULUMI_BACKEND_URL": "s3://states"}, ["stack export"])]
)
def test_new_stack_is_planned_and_gone_again_wherever_states_lie(
    stack: Stack, backend: dict[str, str], asked: list[str]
) -> None:
    stack = given(stack, **backend)
    before = stack.file.read_text()
    write_file(
        stack.root / "ends",
        'case "$2" in export) echo "no stack named dev" >&2; exit 255 ;; '
        f"select) echo encryptionsalt: v1:x >> {stack.file} ;; esac\n",
    )
    assert Deployment(stack).run("graph") == 0
    assert [call.partition(" --stack dev")[0] for call in calls(stack)] == [
        *asked,
        "stack select --create",
        "preview --json",
        "stack rm --yes --preserve-config",
    ]
    assert stack.file.read_text() == before


@pytest.mark.parametrize(
    ("settings", "base", "message"),
    [
        (
            "devportal:environment: dev",
            "",
            "devportal:environment: should be 'development' or 'production' (got 'dev'). Correct "
            "it in Pulumi.dev.yaml.",
        ),
        (
            "devportal:environment: production",
            "",
            "stack dev: production should have a passphrase of its own (got none). Write one into "
            ".secrets/dev.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
            "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again.",
        ),
        (
            "devportal:environment: development",
            "nowhere",
            "BASE: should be a revision that git knows (got 'nowhere'). Fetch it, or choose "
            "another.",
        ),
    ],
    ids=["settings", "passphrase", "base"],
)
def test_review_that_is_refused_is_a_review_that_says_why(
    stack: Stack, settings: str, base: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_file(stack.file, f"config: {{{settings}}}\n")
    stack = given(stack, PULUMI_CONFIG_PASSPHRASE="")
    assert refusal(Deployment(stack, base=base).run, "review") == message
    assert capsys.readouterr().out == (
        f"## Stack `dev`: no plan\n\n**The plan failed**\n\n```text\n{message}\n```\n"
    )


def test_password_of_the_backends_url_is_in_no_review(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pulumi tells the whole URL where its server does not answer."""
    url = "postgres://pulumi:p%40ss@127.0.0.1:1/states"
    stack = given(stack, PULUMI_BACKEND_URL=url)
    write_file(stack.root / "ends", f"echo 'error: unable to open {url}' >&2; exit 255\n")
    assert print_review(stack, "", ()) == 255
    assert capsys.readouterr().out == (
        "## Stack `dev`: no plan\n\n**The plan failed**\n\n```text\n"
        "error: unable to open postgres://pulumi:...@127.0.0.1:1/states\n```\n"
    )
