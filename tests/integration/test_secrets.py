"""No secret is seen where somebody without the passphrase can look."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from benchmarks.harness.machine import tool_environment
from benchmarks.harness.portal_stack import DEVELOPMENT, PortalStack
from infra.resources.build_context import ROOT

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


def test_inspect_history_and_logs_show_no_secret(
    running_stack: PortalStack, secret_values: list[str]
) -> None:
    for container in running_stack.containers():
        history = running_stack.client.images.get(container.attrs["Image"]).history()
        logs = f"{container.name}\n{container.logs().decode()}"
        for text in (json.dumps(container.attrs), json.dumps(history), logs):
            assert_clean(text, secret_values)


def test_plan_shows_no_secret(running_stack: PortalStack, secret_values: list[str]) -> None:
    assert_clean(pulumi(running_stack, "preview", "--diff"), secret_values)
    assert_clean(pulumi(running_stack, "preview", "--json"), secret_values)


def test_state_and_outputs_show_no_secret(
    running_stack: PortalStack, secret_values: list[str]
) -> None:
    assert_clean(pulumi(running_stack, "stack", "export"), secret_values)
    assert_clean(pulumi(running_stack, "stack", "output", "--json"), secret_values)
    assert_clean(running_stack.log.read_text(), secret_values)


def generated_secret(stack: PortalStack, name: str) -> str:
    """The text of a secret that the stack has generated."""
    [found] = [r for r in stack.export() if r["urn"].endswith(f"::{name}")]
    return json.loads(found["outputs"]["value"]["plaintext"])


def findings(stack: PortalStack, word: str) -> list[str]:
    """What the portal's user finds a word in: files, environments of processes included.

    The word comes by standard input, or the search would find its own command line.
    """
    container = stack.containers("app")[0]
    script = (
        "cat > /tmp/word; grep -rlF -f /tmp/word --exclude-dir=sys --exclude-dir=proc "
        "--exclude=word / 2>/dev/null; grep -lF -f /tmp/word /proc/[0-9]*/environ 2>/dev/null; "
        "rm /tmp/word"
    )
    done = subprocess.run(
        ["docker", "exec", "--interactive", str(container.id), "sh", "-c", script],
        env=stack.environment,
        input=word,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_portal_of_production_knows_only_the_secrets_that_it_uses(
    production_stack: PortalStack,
) -> None:
    of_portal = generated_secret(production_stack, "app-password")
    assert findings(production_stack, of_portal) == ["/run/secrets/database_url"]
    for name in ("admin-password", "migrator-password", "postgres-password", "backup-password"):
        secret = generated_secret(production_stack, name)
        assert findings(production_stack, secret) == [], name
    for container in production_stack.containers("app"):
        image = production_stack.client.images.get(container.attrs["Image"])
        described = json.dumps([container.attrs["Config"]["Env"], image.attrs["Config"]["Env"]])
        assert "MIGRATION_DATABASE_URL" not in described
        assert "ADMIN_PASSWORD" not in described
    [job] = production_stack.containers("migrations")
    assert "ADMIN_PASSWORD_FILE=/run/secrets/admin_password" in job.attrs["Config"]["Env"]


def in_clone(person: Path, *command: str, passphrase: str = "of-our-team") -> str:
    """Run a command in somebody's clone, with a home, a state and plugins of their own."""
    done = subprocess.run(
        command,
        cwd=person / "clone",
        env={
            **tool_environment(),
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), person.name),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "one@example.com"),
            "HOME": str(person),
            "PULUMI_HOME": str(person / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{person}",
            "PULUMI_CONFIG_PASSPHRASE": passphrase,
        },
        capture_output=True,
        text=True,
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


# Quotes, backslashes, what a shell, SQL, a URL, an access list and a password file read otherwise.
_ODD = (
    "two  words 'a' \"b\"",
    "back\\slash\\",
    "$HOME `id` ${x} 100%",
    "a>b<c#d&e:f@g/h?i",
    "ümläut-€",
)


def test_any_password_that_may_be_set_reaches_every_service_and_one_taken_away_goes(
    engine: docker.DockerClient, tmp_path: Path
) -> None:
    settings = {**DEVELOPMENT, "backups": {"enabled": True}}
    stack = PortalStack(tmp_path / "stack", engine, settings=settings)
    roles = ("postgres", "migrator", "app", "backup", "redis", "devtools", "admin")
    token = "cat", "/run/secrets/token"
    try:
        stack.set_secret("app.secrets.token", "of the team")
        # Made with some, and changed to others while there is data.
        for shift in (0, 1):
            odd = itertools.islice(itertools.cycle(_ODD), shift, None)
            stack.set_secrets({f"secrets.{role}_password": next(odd) for role in roles})
            stack.up()
            assert stack.run_in("backups", "backups", "take").startswith("20")
            assert stack.run_in("app", *token) == ("" if shift else "of the team")
            if not shift:
                stack.pulumi("config", "rm", "--path", "devportal:app.secrets.token")
    finally:
        stack.remove()


def test_secret_committed_in_one_clone_is_read_in_another(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for person in (first, second):
        (person / "clone").mkdir(parents=True)
    for name in (".gitattributes", ".gitignore", "Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy2(ROOT / name, first / "clone")
    which = ("--path", "devportal:secrets.admin_password", "--stack", "prod")
    for command in (
        ("pulumi", "stack", "init", "prod"),
        ("pulumi", "config", "set", "--secret", *which, "correct horse battery"),
        ("git", "init", "--quiet"),
        ("git", "add", "--all"),
        ("git", "commit", "--quiet", "--message", "The administrator's password"),
    ):
        assert "failed" not in in_clone(first, *command)
    assert in_clone(second, "git", "clone", "--quiet", str(first / "clone"), ".") == ""
    assert "failed" not in in_clone(second, "pulumi", "stack", "init", "prod")
    read = ("pulumi", "config", "get", *which)
    assert in_clone(second, *read) == "correct horse battery\n"
    assert "incorrect passphrase" in in_clone(second, *read, passphrase="of-another-team")
    in_repository = in_clone(first, "git", "show", "HEAD:Pulumi.prod.yaml")
    assert "encryptionsalt: v1:" in in_repository
    assert "correct horse battery" not in in_repository
