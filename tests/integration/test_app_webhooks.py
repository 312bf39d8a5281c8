"""Webhooks on real stores: who may register them, what they are sent, and where they never go."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import AsyncMock

import flask
import flask.typing
import pytest
from werkzeug.datastructures import Headers

from app.services.webhooks import Webhooks
from tests.support.api_documents import TEXT, answering, shape
from tests.support.portal_client import (
    Json,
    Person,
    add,
    events,
    log_in,
    problem,
    put,
    run_replica,
    send,
)
from tests.support.portal_process import Environment, ask
from tests.support.stand_ins import serve_app
from tests.support.waiting import wait_for

NO_ID = "00000000-0000-4000-8000-000000000000"
OLD, NEW = answering(shape(a=TEXT, b=TEXT)), answering(shape(a=TEXT))
ON = {"WEBHOOKS_ENABLED": "true", "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.composition.WEBHOOK_POLL_SECONDS", 0.1)


@dataclass
class Receiver:
    """Keeps what it is sent, and answers with the statuses it is given, then with 204."""

    statuses: list[int]
    received: list[tuple[Headers, bytes]] = field(default_factory=list)
    url: str = ""

    def hear(self) -> flask.typing.ResponseReturnValue:
        self.received.append((flask.request.headers, flask.request.get_data()))
        status = self.statuses.pop(0) if self.statuses else 204
        return "", status, {"Location": self.url}


@contextmanager
def receiver(*statuses: int) -> Iterator[Receiver]:
    heard, app = Receiver([*statuses]), flask.Flask(__name__)
    app.post("/hook")(heard.hear)
    with serve_app(app) as url:
        heard.url = f"{url}/hook"
        yield heard


@contextmanager
def registered(environment: Environment, url: str, **more: str) -> Iterator[tuple[Person, Json]]:
    """A portal with webhooks, and a webhook of it."""
    with run_replica(environment, **{**ON, **more}) as client:
        admin = log_in(client, "admin@example.com")
        answer = admin.post("/admin/webhooks", {"url": url})
        assert answer.status_code == 201, answer.text
        yield log_in(client, "paula@example.com"), answer.json()
        admin.ask("DELETE", f"/admin/webhooks/{answer.json()['id']}")


def upload(paula: Person, name: str, *versions: tuple[str, Json]) -> str:
    path, _ = add(paula, name, kind="api")
    for version, document in versions:
        assert put(paula, f"{path}/versions/{version}", document).status_code == 201
    return path


def state(environment: Environment) -> tuple[Any, ...]:
    [row] = ask(
        environment,
        "select last_error, last_delivered_at is not null,"
        " (select count(*) from webhook_delivery) from webhook",
    )
    return row


def test_breaking_change_is_sent_once_with_a_signature(environment: Environment) -> None:
    with receiver() as heard, registered(environment, heard.url) as (paula, made):
        path = upload(paula, "hooked", ("1.9", OLD), ("1.10", {**OLD, "x-a": 1}), ("2.0", NEW))
        wait_for(lambda: state(environment) == ("", True, 0))
        [(headers, body)] = heard.received
        message = json.loads(body)
        assert (message["type"], message["data"]) == (
            "api.breaking_change",
            {
                "entity": path.removeprefix("/"),
                "owner": "payments",
                "from_version": "1.10",
                "to_version": "2.0",
                "breaking": {
                    "changes": 1,
                    "places": 1,
                    "listed": [
                        {
                            "of": "POST /orders",
                            "rule": "property-removed",
                            "where": "response 200 application/json .b",
                            "message": "'b' is no longer returned",
                        }
                    ],
                },
            },
        )
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(made["secret"].removeprefix("whsec_"))
        digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{digest}"
        send(paula, "DELETE", path, "*")


def test_refused_message_is_sent_again_and_no_redirect_is_followed(
    environment: Environment,
) -> None:
    with receiver(302, 500) as heard, registered(environment, heard.url) as (paula, made):
        path = upload(paula, "again", ("1", OLD), ("2", NEW))
        wait_for(lambda: state(environment)[0] == "the answer should be 2xx (got 302)")
        assert len(heard.received) == 1
        admin = log_in(paula.client, "admin@example.com")
        [waiting] = admin.get("/admin/webhooks").json()["messages"]
        shown = [waiting[name] for name in ("url", "name", "from_version", "to_version")]
        assert (shown, waiting["attempts"]) == ([heard.url, "again", "1", "2"], 1)
        # However often somebody has sent it by hand, it is not given up for that.
        ask(environment, "update webhook_delivery set attempts = 7")
        for last_state in (("the answer should be 2xx (got 500)", False, 1), ("", True, 0)):
            assert admin.post(f"/admin/webhooks/{made['id']}/retry").status_code == 204
            wait_for(lambda expected=last_state: state(environment) == expected)
        assert len({body for _, body in heard.received}) == 1
        assert len({headers["webhook-id"] for headers, _ in heard.received}) == 1
        assert len(heard.received) == 3
        send(paula, "DELETE", path, "*")


def test_message_outlives_the_portal_and_the_document_that_was_replaced(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lasting(document: Json) -> Json:
        return {**document, "info": {"title": "Lasting", "version": "1"}}

    contents = "select count(*) from api_content where title = 'Lasting'"
    with receiver() as heard:
        with monkeypatch.context() as stopped:
            # The portal ends before anything is sent.
            stopped.setattr(Webhooks, "send_due", AsyncMock())
            with run_replica(environment, **ON) as first:
                log_in(first, "admin@example.com").post("/admin/webhooks", {"url": heard.url})
                paula = log_in(first, "paula@example.com")
                path = upload(paula, "lasting", ("main", lasting(OLD)))
                put(paula, f"{path}/versions/main", lasting(NEW), "*")
            assert ask(environment, contents) == [(2,)]
        with run_replica(environment, **ON) as second:
            wait_for(lambda: state(environment) == ("", True, 0))
            assert json.loads(heard.received[0][1])["data"]["from_version"] == "main"
            assert ask(environment, contents) == [(1,)]
            send(paula.at(second), "DELETE", path, "*")
    ask(environment, "delete from webhook")


@pytest.mark.parametrize("host", ["localhost", "[::1]", "169.254.169.254"])
def test_address_of_this_machine_or_network_is_never_reached(
    host: str, environment: Environment
) -> None:
    url = f"http://{host}:9/hook"
    with registered(environment, url, WEBHOOKS_ALLOWED_NETWORKS="") as (paula, _):
        path = upload(paula, "inside", ("1", OLD), ("2", NEW))
        said = wait_for(lambda: state(environment)[0])
        assert said.startswith(f"{host.strip('[]')}: should be a public address (got ")
        send(paula, "DELETE", path, "*")


def test_webhooks_are_registered_while_they_are_switched_on_and_once(
    environment: Environment,
) -> None:
    given = {"url": "https://ci.example.com/hook"}
    with run_replica(environment) as client:
        answer = log_in(client, "admin@example.com").post("/admin/webhooks", given)
        said = "webhooks are switched off. Set app.webhooks_enabled"
        assert problem(answer) == (409, said)
        retried = log_in(client, "admin@example.com").post(f"/admin/webhooks/{NO_ID}/retry")
        assert problem(retried) == (409, said)
    with registered(environment, given["url"]) as (paula, made):
        admin = log_in(paula.client, "admin@example.com")
        said = "there is a webhook of this address already"
        assert problem(admin.post("/admin/webhooks", given)) == (409, said)
        [listed] = admin.get("/admin/webhooks").json()["items"]
        assert (listed["url"], listed["waiting"], "secret" in listed) == (given["url"], 0, False)
        target = f"webhook:{made['id']}"
    assert [event[1:] for event in events(environment, target)] == [
        ("webhook.create", given),
        ("webhook.delete", given),
    ]


def test_what_is_uploaded_while_webhooks_are_off_is_never_sent(environment: Environment) -> None:
    imported = """\
        {apiVersion: backstage.io/v1alpha1, kind: API, metadata: {name: unheard},
        spec: {owner: payments, type: openapi, definition: '%s'}}"""
    with registered(environment, "https://ci.example.com/off"), run_replica(environment) as off:
        paula = log_in(off, "paula@example.com")
        path = upload(paula, "unheard", ("1", OLD), ("2", NEW))
        content = imported % json.dumps({**NEW, "info": {"title": "a", "version": "3"}})
        answer = send(paula, "POST", "/import", content=content.encode())
        assert (answer.status_code, state(environment)) == (200, ("", False, 0)), answer.text
        send(paula, "DELETE", path, "*")


def test_address_that_is_none_is_refused(environment: Environment) -> None:
    said = "body.url: should be an address such as https://ci.example.com/hook"
    with run_replica(environment, **ON) as client:
        admin = log_in(client, "admin@example.com")
        for url in ("ftp://a.example/", "https://u:p@a.example/", "https:///a", "https://[", "a"):
            assert problem(admin.post("/admin/webhooks", {"url": url})) == (422, said), url
