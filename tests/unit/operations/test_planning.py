"""What `make review` and `graph` print, what a BASE is made with, and that nothing changes."""

import signal
import subprocess
from collections.abc import Mapping
from unittest.mock import MagicMock

import pytest
import yaml

from operations.deployment import Deployment
from operations.planning import base_stack, print_review
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import MakeStack, calls, elsewhere, given, write_program
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE

GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com")
SALT = "encryptionsalt: v1:of-the-team\n"
SECRET = "  devportal:secrets: {tls_key: {secure: v1:x}}\n"
MAKE = """\
echo "make $2 [$PULUMI_BACKEND_URL]" >> {root}/calls
grep -c encryptionsalt "Pulumi.${{3#STACK=}}.yaml" > {root}/given
echo "$PULUMI_CONFIG_PASSPHRASE" >> {root}/given
exec sh {root}/make-ends "$2" "${{3#STACK=}}"
"""
HAS_NONE = 'case "$2" in export) echo "error: no stack named x" >&2; exit 255 ;; esac\n'


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


@pytest.fixture
def prod(make_stack: MakeStack, engine: MagicMock) -> Stack:
    """Production in a repository; `make` records its calls and their input."""
    stack = make_stack("prod")
    write_file(stack.file, f"{SALT}{stack.file.read_text()}")
    write_program(stack.root, "make", MAKE.format(root=stack.root))
    write_file(stack.root / "make-ends", "exit 0\n")
    write_file(stack.root / "ends", HAS_NONE)
    commit(stack)
    return stack


def commit(stack: Stack) -> None:
    for words in (["init", "--quiet"], ["add", "Pulumi.prod.yaml"], ["commit", "-qm", "x"]):
        subprocess.run([*GIT, *words], cwd=stack.root, check=True)


def review(stack: Stack) -> Mapping[str, object]:
    """The settings of the stack that a review plans for."""
    with base_stack(stack, "HEAD") as planned:
        return yaml.safe_load(planned.file.read_text())


@pytest.mark.parametrize("passphrase", ["", DEVELOPMENT_PASSPHRASE])
def test_salt_without_secrets_asks_no_job_for_the_teams_passphrase(
    prod: Stack, passphrase: str
) -> None:
    before = prod.file.read_text()
    settings = review(given(prod, PULUMI_CONFIG_PASSPHRASE=passphrase))
    salts, chosen = (prod.root / "given").read_text().splitlines()
    assert (salts, settings["encryptionsalt"]) == ("0", None)
    assert len(chosen) == 32
    assert prod.file.read_text() == before


def test_secrets_are_opened_with_the_teams_passphrase_or_the_review_says_so(prod: Stack) -> None:
    write_file(prod.file, prod.file.read_text() + SECRET)
    commit(prod)
    assert review(prod)["encryptionsalt"] == "v1:of-the-team"
    assert (prod.root / "given").read_text() == "1\nof the test\n"
    (prod.root / "calls").unlink()
    assert refusal(review, given(prod, PULUMI_CONFIG_PASSPHRASE="")) == (
        "stack prod: production should have a passphrase of its own (got none). Write one into "
        ".secrets/prod.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again. A review needs it while "
        "Pulumi.prod.yaml, here or in the base, has encrypted values; the job of a fork is given "
        "none."
    )
    assert calls(prod) == []


def assert_nothing_stays(stack: Stack) -> None:
    assert [path.name for path in stack.root.glob("Pulumi.review-*")] == []
    trees = subprocess.check_output([*GIT, "worktree", "list"], cwd=stack.root, text=True)
    assert len(trees.splitlines()) == 1


def words(stack: Stack) -> list[str]:
    return [call.partition(" --stack")[0] for call in calls(stack)]


@pytest.mark.parametrize(
    ("backend", "place", "asked"),
    [("file://state", "file://{}/state", []), ("s3://states", "s3://states", ["stack export"])],
)
def test_base_goes_with_its_data_wherever_its_state_lies(
    prod: Stack, engine: MagicMock, backend: str, place: str, asked: list[str]
) -> None:
    prod, place = given(prod, PULUMI_BACKEND_URL=backend), place.format(prod.root)
    states = f"{prod.root}/state/.pulumi/stacks/devportal"
    write_file(prod.root / "make-ends", f'mkdir -p {states} && touch "{states}/$2.json"\n')
    write_file(prod.root / "ends", "exit 0\n")
    volume = MagicMock()
    engine.volumes.list.return_value = [volume]
    review(prod)
    removal = ["state unprotect --all --yes", f"make down [{place}]", "stack rm --yes --force"]
    assert words(prod) == [f"make up [{place}]", *asked, *removal]
    volume.remove.assert_called_once_with()
    assert_nothing_stays(prod)


@pytest.mark.parametrize(
    ("failing", "removal"),
    [("up", []), ("down", ["state unprotect --all --yes", "make down [s3://states]"])],
)
def test_base_that_fails_leaves_no_files(prod: Stack, failing: str, removal: list[str]) -> None:
    prod = elsewhere(prod)
    write_file(prod.root / "ends", HAS_NONE if failing == "up" else "exit 0\n")
    write_file(prod.root / "make-ends", f'[ "$1" != {failing} ]\n')
    assert refusal(review, prod) == (
        f"base: `make {failing}` should succeed (got 1). Correct what it says."
    )
    assert words(prod) == ["make up [s3://states]", "stack export", *removal]
    assert_nothing_stays(prod)


def test_base_that_is_ended_has_ended_before_it_is_removed(prod: Stack) -> None:
    """Its removal would be refused, and nobody would try again."""
    prod = elsewhere(prod)
    write_file(prod.root / "ends", "exit 0\n")
    ends = f"trap 'sleep 0.5; echo ended >> {prod.root}/calls; exit 2' TERM\nkill $PPID; sleep 2"
    write_file(prod.root / "make-ends", f'[ "$1" != up ] && exit\n{ends} &\nwait\n')
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as of every target
    try:
        said = refusal(review, prod)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert said == "base: `make up` should succeed (got 2). Correct what it says."
    assert words(prod)[:2] == ["make up [s3://states]", "ended"]
    assert words(prod)[-2:] == ["make down [s3://states]", "stack rm --yes --force"]
    assert_nothing_stays(prod)


def test_plan_is_the_review_though_its_base_does_not_go(
    prod: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    prod = elsewhere(prod)
    write_file(prod.root / "ends", "exit 0\n")
    write_file(prod.root / "make-ends", '[ "$1" != down ]\n')
    assert Deployment(prod, base="HEAD").run("review") == 1
    told = capfd.readouterr()
    assert told.out == "## Stack `prod`: nothing changes\n"
    assert told.err.splitlines()[-1] == (
        "base: `make down` should succeed (got 1). Correct what it says."
    )
