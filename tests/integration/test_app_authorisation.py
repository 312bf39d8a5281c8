"""Every route by every role, as the routes themselves declare it, and by HEAD; and strangers to
the team.

The list of routes is the application's own and the OpenAPI document's: a new route without a rule,
or one that changes a team's things without a case here, fails.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from app.main import ROUTERS
from tests.support.portal_client import Person, log_in, problem, program, run_replica
from tests.support.portal_process import Environment

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
CASES = [(method, route) for route in ROUTES for method in sorted(route.methods or ())]
SCOPES = ("catalogue:read", "catalogue:write", "audit:read")
ROLES: Mapping[str, tuple[str, ...]] = {
    "public": ("anonymous", "viewer", "member", "admin"),
    "inside": ("anonymous", "viewer", "member", "admin"),
    "read": ("viewer", "member", "admin"),
    "signed-in": ("viewer", "member", "admin"),
    "member": ("member", "admin"),
    "admin": ("admin",),
}
EXAMPLES = {
    "kind": "api",
    "namespace": "default",
    "name": "none",
    "type": "provides",
    "target_kind": "component",
    "target_namespace": "default",
    "target_name": "none",
    "email": "nobody@example.com",
    "slug": "none",
    "version": "0",
}
NO_ID = "00000000-0000-4000-8000-000000000000"
NEW = {"kind": "api", "name": "new-api", "title": "New", "owner": "payments"}
THEIRS = "/api/v1/entities/api/default/checkout-api"
RELATION = f"{THEIRS}/relations/part_of/system/default/checkout"
STRANGERS_TRY: Mapping[str, tuple[str, Any]] = {
    "POST /api/v1/entities": ("/api/v1/entities", NEW),
    "PUT /api/v1/entities/{kind}/{namespace}/{name}": (
        THEIRS,
        {"title": "Theirs", "owner": "payments"},
    ),
    "DELETE /api/v1/entities/{kind}/{namespace}/{name}": (THEIRS, None),
    "PUT {entity}/relations/{type}/{target}": (RELATION, None),
    "DELETE {entity}/relations/{type}/{target}": (RELATION, None),
    "PUT {entity}/pages/{slug}": (f"{THEIRS}/pages/new", {"title": "T", "markdown": "m"}),
    "DELETE {entity}/pages/{slug}": (f"{THEIRS}/pages/index", None),
    "PUT {entity}/versions/{version}": (
        f"{THEIRS}/versions/9",
        {"openapi": "3.1.0", "info": {"title": "T", "version": "9"}, "paths": {}},
    ),
    "DELETE {entity}/versions/{version}": (f"{THEIRS}/versions/1", None),
    "PATCH /api/v1/teams/{name}": ("/api/v1/teams/payments", {"title": "Mine"}),
    "PUT /api/v1/teams/{name}/members/{email}": (
        "/api/v1/teams/payments/members/nadia@example.com",
        {"role": "owner"},
    ),
    "DELETE /api/v1/teams/{name}/members/{email}": (
        "/api/v1/teams/payments/members/petra@example.com",
        None,
    ),
}
# Each of an import's documents has a result of its own, and the owner's rule with it.
ELSEWHERE_TESTED = {"POST /api/v1/entities/import"}
FILES = ("/assets/portal.css", "/assets/swagger/swagger-ui.css", "/assets/none")
# What differs between any two answers, and where the length is that of figures which go on.
OF_EACH_ANSWER = {"x-request-id", "ratelimit"}
GROWING = {"/metrics", "/health"}


@pytest.fixture(scope="module")
def replica(environment: Environment) -> Iterator[TestClient]:
    with run_replica(environment, REGISTRATION_OPEN="true") as client:
        yield client


@pytest.fixture(scope="module")
def people(replica: TestClient) -> dict[str, Person]:
    """Someone of each role, in no team, and keys that go as far as keys can."""
    admin = log_in(replica, "admin@example.com")
    return {
        "anonymous": Person(replica),
        "viewer": log_in(replica, "vera@example.com"),
        "member": log_in(replica, "nadia@example.com"),
        "admin": admin,
        "key with every scope": program(admin, *SCOPES),
        **{f"key without {scope}": program(admin, *_without(scope)) for scope in SCOPES},
    }


def _without(scope: str) -> list[str]:
    return [other for other in SCOPES if other != scope]


def rule_of(route: APIRoute) -> tuple[str, str | None]:
    declared = route.openapi_extra or {}
    return declared.get("x-access", "none"), declared.get("x-scope")


def described(case: tuple[str, APIRoute]) -> str:
    method, route = case
    return f"{method} {route.path}"


def path_of(route: APIRoute) -> str:
    path = route.path
    for parameter in route.dependant.path_params:
        path = path.replace(f"{{{parameter.name}}}", EXAMPLES.get(parameter.name, NO_ID))
    return path


def verdict(person: Person, method: str, route: APIRoute) -> str:
    """What the portal makes of a request that asks for nothing that is there."""
    sent = {"json": {}} if route.include_in_schema else {"data": {}}
    body: dict[str, Any] = {} if method == "GET" else sent
    headers = {**person.headers, "Accept": "application/json"}
    answer = person.client.request(
        method, path_of(route), headers=headers, follow_redirects=False, **body
    )
    assert answer.status_code < 500, answer.text
    if answer.headers.get("location", "").startswith("/sign-in?next="):
        return "401"
    return str(answer.status_code) if answer.status_code in (401, 403) else "through"


@pytest.mark.parametrize("case", CASES, ids=described)
def test_route_lets_through_whom_it_declares(
    case: tuple[str, APIRoute], people: dict[str, Person]
) -> None:
    method, route = case
    people = _spend(people) if "out" in route.path.rpartition("/")[2] else people
    rule, scope = rule_of(route)
    assert rule in ROLES, f"{described(case)}: should declare its rule with access(...)"
    found = {name: verdict(person, method, route) for name, person in people.items()}
    assert found == {name: expected(name, rule, scope) for name in people}


@pytest.mark.parametrize("path", [*(path_of(r) for m, r in CASES if m == "GET"), *FILES, "/none"])
def test_head_is_get_without_the_body(path: str, people: dict[str, Person]) -> None:
    admin = people["admin"]
    read, head = (
        admin.client.request(method, path, headers=admin.headers, follow_redirects=False)
        for method in ("GET", "HEAD")
    )
    differing = OF_EACH_ANSWER | ({"content-length"} if path in GROWING else set())
    found = [
        (answer.status_code, {k: v for k, v in answer.headers.items() if k not in differing})
        for answer in (head, read)
    ]
    assert found[0] == found[1]
    assert read.status_code != 405


def test_no_route_stands_outside_of_what_is_tested(replica: TestClient) -> None:
    served = [c.original_route for c in iter_route_contexts(cast(FastAPI, replica.app).routes)]
    others = [route for route in served if route not in ROUTES]
    assert [getattr(route, "path", "") for route in others] == ["/assets/swagger", "/assets"]


def expected(name: str, rule: str, scope: str | None) -> str:
    if "anonymous" in ROLES[rule]:
        return "through"
    if not name.startswith("key"):
        refusal = "401" if name == "anonymous" else "403"
        return "through" if name in ROLES[rule] else refusal
    good = scope == "any" or (scope is not None and name != f"key without {scope}")
    return "through" if good else "403"


def _spend(people: dict[str, Person]) -> dict[str, Person]:
    """The same people in sessions of their own, which end by this."""
    emails = {"viewer": "vera", "member": "nadia", "admin": "admin"}
    signed_in = {
        name: log_in(people[name].client, f"{email}@example.com") for name, email in emails.items()
    }
    return {**people, **signed_in}


def test_document_shows_every_rule_that_is_enforced(replica: TestClient) -> None:
    paths = replica.get("/openapi.json").json()["paths"]
    shown = {
        f"{method.upper()} {path}": (operation.get("x-access"), operation.get("x-scope"))
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert shown == {
        described(case): rule_of(case[1]) for case in CASES if case[1].include_in_schema
    }


def _short(case: tuple[str, APIRoute]) -> str:
    entity = "/api/v1/entities/{kind}/{namespace}/{name}"
    target = "{target_kind}/{target_namespace}/{target_name}"
    text = described(case).replace(f"{entity}/", "{entity}/")
    return text.replace(target, "{target}")


def test_every_route_for_members_has_a_case_of_a_stranger() -> None:
    for_members = {
        _short(case)
        for case in CASES
        if rule_of(case[1])[0] == "member" and case[1].include_in_schema
    }
    assert for_members == {*STRANGERS_TRY, *ELSEWHERE_TESTED}


@pytest.mark.parametrize("name", STRANGERS_TRY)
def test_stranger_to_the_team_changes_nothing_of_it(name: str, people: dict[str, Person]) -> None:
    path, body = STRANGERS_TRY[name]
    stranger = people["member"]
    options: dict[str, Any] = {} if body is None else {"json": body}
    answer = stranger.client.request(
        name.split()[0], path, headers={**stranger.headers, "If-Match": "*"}, **options
    )
    needed = "this needs an owner of the team 'payments'"
    if not name.split()[1].startswith("/api/v1/teams"):
        needed = "only members of the team 'payments' may do this"
    assert problem(answer) == (403, needed)


def test_owner_does_what_a_stranger_may_not(replica: TestClient) -> None:
    paula = log_in(replica, "paula@example.com")
    headers = {**paula.headers, "If-Match": "*"}
    for name, (path, body) in STRANGERS_TRY.items():
        options = {} if body is None else {"json": body}
        answer = replica.request(name.split()[0], path, headers=headers, **options)
        assert answer.status_code not in (401, 403), f"{name}: {answer.text}"
