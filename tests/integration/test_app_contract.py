"""The OpenAPI document is true: every operation, by every role, answers as it is declared there."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.resources.build_context import ROOT
from tests.integration.test_app_authorisation import SCOPES, expected
from tests.support.portal_client import log_in, program
from tests.support.portal_process import Environment, run_portal, serve

WHOLE = ("--max-examples", "3")
"""Beside those of the document and the edges of every schema, which are tried anyway."""
SHORT = ("--max-examples", "1", "--phases", "examples,fuzzing")
"""The document's examples, and one more request for every operation."""

# Every check but one. `positive_data_acceptance` is off: JSON Schema cannot say that an owner has
# to be a team that exists, a password none that many people use, or a YAML text an entity.
_CHECKS = """
[checks]
positive_data_acceptance.enabled = false
# 428 is the answer to a change without If-Match (RFC 6585, section 3).
missing_required_header.expected-statuses = [401, 403, 404, 422, 428]

[auth]
# Who is nobody stays so.
auto-signup = false
"""
# Whoever changes the most comes last. The member is an owner of the document's example.
ROLES = ("anonymous", "viewer", "key", "member", "admin")
EMAILS = {
    "viewer": "vera@example.com",
    "member": "paula@example.com",
    "admin": "admin@example.com",
    "key": "admin@example.com",
}
# What can end the caller's own session or role is tested apart, without the lists that give ids
# away, and logging out last.
BY_ID = {"/api/v1/auth/sessions/{session_id}", "/api/v1/admin/users/{user_id}"}
LOG_OUT = {"/api/v1/auth/logout"}


@pytest.fixture(scope="module")
def environment(environment: Environment) -> Environment:
    return {**environment, "REGISTRATION_OPEN": "true"}


@pytest.fixture(scope="module")
def portal(environment: Environment) -> Iterator[httpx.Client]:
    """The portal as a process, as a client of its own reaches it."""
    with serve(environment) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        yield client


def credentials(portal: httpx.Client, role: str) -> Mapping[str, str]:
    """What the role's requests carry."""
    if role == "anonymous":
        return {}
    person = log_in(portal, EMAILS[role])
    return program(person, *SCOPES).headers if role == "key" else person.headers


def operations_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def hold_to_contract(
    url: str,
    document: Mapping[str, Any],
    folder: Path,
    *,
    headers: Mapping[str, str],
    effort: Sequence[str] = WHOLE,
) -> Mapping[str, set[int]]:
    """Try every operation of the document in every way; the statuses that each has answered.

    `folder` gets settings and the report. What schemathesis has found is the AssertionError's text,
    and how to send it again.
    """
    settings, contract = folder / "schemathesis.toml", folder / "openapi.json"
    pairs = ", ".join(f"{name} = '{value}'" for name, value in headers.items())
    settings.write_text(f"headers = {{ {pairs} }}\n{_CHECKS}")
    contract.write_text(json.dumps(document))
    report = folder / "report.ndjson"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
            *("run", str(contract), "--url", url, "--seed", "5"),
            *(*effort, "--continue-on-failure"),
            *("--report-ndjson-path", str(report)),
        ],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return _statuses(report)


def _statuses(report: Path) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for interaction in recorder.get("interactions", {}).values():
            method, _, path = recorder["label"].partition(" ")
            # Also methods that a path has not, and whole stories, are tried.
            is_one = path.startswith("/") and interaction["request"]["method"] == method
            if is_one and (answer := interaction["response"]):
                found[recorder["label"]].add(answer["status_code"])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_every_operation_answers_as_the_document_declares(
    role: str, portal: httpx.Client, environment: Environment, tmp_path: Path
) -> None:
    run_portal(environment, "seed")
    document = portal.get("/openapi.json").json()
    found: dict[str, set[int]] = {}
    for paths in (set(document["paths"]) - BY_ID - LOG_OUT, BY_ID, LOG_OUT):
        part = {path: item for path, item in document["paths"].items() if path in paths}
        found |= hold_to_contract(
            str(portal.base_url),
            {**document, "paths": part},
            tmp_path,
            headers=credentials(portal, role),
            # The others differ by what they may do, and not by what a body may hold.
            effort=WHOLE if role == "admin" else SHORT,
        )
    operations = operations_of(document)
    assert set(found) == set(operations)
    assert 429 not in set().union(*found.values())
    # What was checked are answers to that role, and not refusals alone.
    through = {name for name, statuses in found.items() if any(s < 300 for s in statuses)}
    name_there = "key with every scope" if role == "key" else role
    readable = {
        name
        for name, operation in operations.items()
        if name.startswith("GET ")
        and expected(name_there, operation["x-access"], operation.get("x-scope")) == "through"
    }
    assert readable <= through


def test_answer_that_the_document_does_not_declare_is_found(
    portal: httpx.Client, tmp_path: Path
) -> None:
    document = portal.get("/openapi.json").json()
    operation = document["paths"]["/version"]["get"]
    lie = {**operation, "responses": {"204": {"description": "Nothing"}}}
    document["paths"] = {"/version": {"get": lie}}
    with pytest.raises(AssertionError) as caught:
        hold_to_contract(str(portal.base_url), document, tmp_path, headers={})
    assert "Undocumented status code" in str(caught.value)
