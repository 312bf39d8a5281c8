"""The OpenAPI document is true: every operation, by every role, answers as it is declared there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.contract import SHORT, WHOLE, hold_to_contract
from tests.support.portal_client import log_in, program
from tests.support.portal_process import Environment, run_portal, serve

# Whoever changes the most comes last. The member is an owner of the document's example.
ROLES = ("anonymous", "viewer", "key", "member", "admin")
# The others differ from these by what they may do, and not by what a body may hold.
EFFORT = {"admin": WHOLE}
EMAILS = {
    "viewer": "vera@example.com",
    "member": "paula@example.com",
    "admin": "admin@example.com",
    "key": "admin@example.com",
}
SCOPES = ("catalogue:read", "catalogue:write", "audit:read")
# What can end the caller's own session or role is tested apart, without the lists that give ids
# away, and logging out last.
BY_ID = {"/api/v1/auth/sessions/{session_id}", "/api/v1/admin/users/{user_id}"}
LOG_OUT = {"/api/v1/auth/logout"}
OPEN_TO: Mapping[str, tuple[str, ...]] = {
    "public": ROLES,
    # In development.
    "inside": ROLES,
    "read": ("viewer", "member", "admin"),
    "signed-in": ("viewer", "member", "admin"),
    "member": ("member", "admin"),
    "admin": ("admin",),
}


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


def is_open(operation: dict[str, Any], role: str) -> bool:
    """Whether the document says that the role gets through."""
    access = operation["x-access"]
    if role == "key":
        return access == "public" or "x-scope" in operation
    return role in OPEN_TO[access]


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
            effort=EFFORT.get(role, SHORT),
        )
    operations = operations_of(document)
    assert set(found) == set(operations)
    assert 429 not in set().union(*found.values())
    # What was checked are answers to that role, and not refusals alone.
    through = {name for name, statuses in found.items() if any(s < 300 for s in statuses)}
    reachable = {name for name, operation in operations.items() if is_open(operation, role)}
    assert through <= reachable
    assert {name for name in reachable if name.startswith("GET ")} <= through


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
