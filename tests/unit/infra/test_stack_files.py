"""The stack files: checked without Pulumi, as Pulumi reads them; what is generated is fresh."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.settings import Settings
from infra.settings.reference import (
    REFERENCE,
    SCHEMA,
    TEMPLATE,
    render_reference,
    render_schema,
    render_template,
)
from infra.settings.stack_file import find_mistakes, read_values

ROOT = Path(__file__).resolve().parents[3]
DEVELOPMENT = "config:\n  devportal:environment: development\n"
ENCRYPTED = "{secure: 'v1:bm9uY2U=:Y2lwaGVydGV4dA=='}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without a stack."""
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    return tmp_path


def mistakes_of(folder: Path, text: str) -> list[str]:
    (folder / "Pulumi.mine.yaml").write_text(text)
    return find_mistakes(folder, "mine")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_file_of_the_project_is_valid_and_fits_the_schema(stack: str) -> None:
    assert find_mistakes(ROOT, stack) == []
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert list(schema_validator().iter_errors(document)) == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_file_of_the_project_sets_what_it_says(stack: str) -> None:
    values = read_values(ROOT, stack)
    settings, _ = Settings.check(values, stack)
    assert settings is not None
    for name, group in values.items():
        if isinstance(group, dict):
            assert {key: getattr(getattr(settings, name), key) for key in group} == group


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"devportal:app": {"replicas": 0}}, "0 is less than the minimum of 1"),
        (
            {"devportal:prots": {}},
            "'devportal:prots' does not match any of the regexes: '^(?!devportal:)[^:]+:'",
        ),
        ({"devportal:secrets": {"secret_key": "plain"}}, "'plain' is not of type 'object'"),
    ],
)
def test_schema_refuses_what_the_program_refuses(changes: dict[str, Any], message: str) -> None:
    document = {"config": {"devportal:environment": "development", **changes}}
    assert [error.message for error in schema_validator().iter_errors(document)] == [message]


def schema_validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((ROOT / SCHEMA).read_text()))


def test_development_has_a_salt_in_the_repository() -> None:
    assert "\nencryptionsalt: v1:" in (ROOT / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize(
    ("path", "render"),
    [(REFERENCE, render_reference), (SCHEMA, render_schema), (TEMPLATE, render_template)],
)
def test_generated_file_is_fresh(path: Path, render: Callable[[], str]) -> None:
    assert (ROOT / path).read_text() == render(), "run: python -m infra.settings --write-docs"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", "devportal:environment: should be set (got nothing). Add it to Pulumi.mine.yaml."),
        (
            "config:\n  devportal:environment: x\n  devportal:pids_limit: 1\n",
            "devportal:environment: should be 'development' or 'production' (got 'x'). Correct it "
            "in Pulumi.mine.yaml.\n"
            "devportal:pids_limit: should be from 32 to 32768 (got 1). Correct it in "
            "Pulumi.mine.yaml.",
        ),
        (
            "config:\n  devportal:app: {a: b\n  c: d\n",
            "Pulumi.mine.yaml:3: should be YAML that Pulumi can read (got: expected ',' or '}', "
            "but got ':'). Correct it.",
        ),
        (
            "config:\n  devportal:devtools: true\n  devportal:devtools: false\n",
            "Pulumi.mine.yaml:3: should be YAML that Pulumi can read (got: the key "
            "'devportal:devtools' a second time). Correct it.",
        ),
        (
            f"{DEVELOPMENT}  devportal:secrets:\n",
            "devportal:secrets: should be a group of keys (got None). Correct it in "
            "Pulumi.mine.yaml.",
        ),
        (
            f"{DEVELOPMENT}  devportal:domain: {{{{ domain }}}}\n",
            "Pulumi.mine.yaml:3: should be YAML that Pulumi can read (got: a group or a list in "
            "the place of a key). Correct it.",
        ),
        (
            "- a\n",
            "Pulumi.mine.yaml: should be YAML that Pulumi can read (got: no group of keys under "
            "config). Correct it.",
        ),
        (
            f"{DEVELOPMENT}  devportal:postgres: {{fresh_start: 2026-11-25}}\n",
            "devportal:postgres.fresh_start: should be 1 to 63 letters, digits, '.', '_' or '-' "
            "that start with a letter, digit or '_' (got 2026-11-25). Put it between quotes in "
            "Pulumi.mine.yaml.",
        ),
        (
            f"{DEVELOPMENT}  devportal:secrets: {{jwt_secret_key: {ENCRYPTED}, app_password: x}}\n",
            "devportal:secrets.app_password: should be 8 to 128 printable characters, with no "
            "space at either end (got 1 characters). Set it with `pulumi config set --secret "
            "--path devportal:secrets.app_password`.\n"
            "devportal:secrets.app_password: should be encrypted (got plain text). Set it with "
            "`pulumi config set --secret --path devportal:secrets.app_password`.",
        ),
        (
            f"{DEVELOPMENT}  devportal:secrets: {{secretkey: {ENCRYPTED}}}\n",
            "devportal:secrets.secretkey: should be a known key (got 'secretkey'). Did you mean "
            "'secret_key'?",
        ),
    ],
)
def test_mistake_is_found_without_pulumi(folder: Path, text: str, mistakes: str) -> None:
    assert mistakes_of(folder, text) == mistakes.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        # To Pulumi `no` is text, not a boolean.
        f"{DEVELOPMENT}  devportal:restart: no\n",
        f'{DEVELOPMENT}  devportal:devtools: "true"\n',
        "config:\n  environment: development\n",
        f"{DEVELOPMENT}  docker:host: tcp://127.0.0.1:1\n",
        f"{DEVELOPMENT}  devportal:secrets: {ENCRYPTED}\n",
        f"config:\n  devportal:environment: {ENCRYPTED}\n",
        "config:\n  devportal:environment: production\n  devportal:tls: {mode: provided}\n"
        f"  devportal:secrets: {{tls_certificate: {ENCRYPTED}, tls_key: {ENCRYPTED}}}\n",
    ],
)
def test_what_pulumi_accepts_is_accepted(folder: Path, text: str) -> None:
    assert mistakes_of(folder, text) == []


def test_value_of_the_stack_comes_before_that_of_the_project(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text(
        "name: devportal\nconfig:\n"
        "  devportal:environment: production\n"
        "  devportal:domain: {value: project.example.com}\n"
        "  devportal:app: {value: {memory_mb: 640}}\n"
        "  devportal:redis.memory_mb: {default: 1024}\n"
    )
    (folder / "Pulumi.mine.yaml").write_text(
        "config:\n  devportal:domain: stack.example.com\n  devportal:app: {cpus: 2}\n"
        "  devportal:redis: {cpus: 1}\n"
    )
    assert read_values(folder, "mine") == {
        "environment": "production",
        "domain": "stack.example.com",
        "app": {"cpus": 2},
        "redis": {"cpus": 1, "memory_mb": 1024},
    }


def check_in(folder: Path, stack: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run the command, and tell on standard output whether it imported Pulumi."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from infra.settings.__main__ import main;"
        f"result = main([{stack!r}]); print('pulumi' in sys.modules); sys.exit(result)"
    )
    command = [sys.executable, "-c", program]
    environ = {**os.environ, **environ}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


def test_command_is_silent_for_good_settings_and_starts_no_pulumi(folder: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", folder)
    checked = check_in(folder, "organization/devportal/dev")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "False\n", "")


def test_stack_file_is_read_in_any_locale(folder: Path) -> None:
    (folder / "Pulumi.mine.yaml").write_bytes(f"# Größe\n{DEVELOPMENT}".encode())
    ascii_alone = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    checked = check_in(folder, "mine", **ascii_alone)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_command_prints_each_mistake_on_a_line_and_ends_with_1(folder: Path) -> None:
    (folder / "Pulumi.a--b.yaml").write_text("config:\n  devportal:environment: x\n")
    checked = check_in(folder, "a--b")
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        "stack name: should be 1 to 31 lower-case letters and digits, with single '-' or '_' "
        "between them (got 'a--b'). Choose another name.",
        "devportal:environment: should be 'development' or 'production' (got 'x'). Correct it in "
        "Pulumi.a--b.yaml.",
    ]
