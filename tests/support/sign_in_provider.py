"""An OpenID Connect provider on this machine, which tests may have lie, and browsers there."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import oidc_provider_mock
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.support.portal_client import alert
from tests.support.portal_process import Environment, ask
from tests.support.stand_ins import serve_app

Claims = dict[str, Any]
CLIENT_SECRET = "only-for-this-test-of-the-sign-in"
NOT_GOOD = "The sign-in provider's answer is not good for this sign-in: try again."
NOT_BEGUN = "This sign-in was not begun in this browser, is over or took too long: try again."
ROLES = '{"admins": "admin", "staff": "member"}'


@dataclass
class SignInProvider:
    """Knows everybody whom it is asked for, and holds the portal to PKCE."""

    url: str = ""
    forge: Callable[[Claims], str] | None = None
    """Makes the id_token out of the claims, in place of the provider."""
    key: RSAKey | None = None
    challenges: dict[str, str] = field(default_factory=dict)

    def settings(self, **more: str) -> Mapping[str, str]:
        """The portal's variables for this provider."""
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_SECRET": CLIENT_SECRET, **more}

    def know(self, subject: str, **claims: object) -> None:
        """Say this of a person from now on; an address is verified unless told otherwise."""
        known = {"email_verified": True, **claims}
        httpx.put(f"{self.url}/users/{subject}", json=known).raise_for_status()

    def approve(self, url: str, subject: str) -> str:
        """Sign in as that person on the page that the portal led to; the way back."""
        sent = httpx.post(url, data={"sub": subject})
        assert sent.status_code == 302, sent.text
        way = urlsplit(sent.headers["location"])
        return f"{way.path}?{way.query}"

    def sign(self, claims: Claims) -> str:
        """With the provider's own key."""
        assert self.key is not None
        return jwt.encode({"alg": "RS256"}, claims, self.key)

    def _watch(self, answer: flask.Response) -> flask.Response:
        request = flask.request
        [code] = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code", [""])
        if code and request.args.get("code_challenge_method") == "S256":
            self.challenges[code] = request.args["code_challenge"]
        if request.path == "/oauth2/token" and self.forge and answer.status_code == 200:
            given = json.loads(answer.get_data())
            part = given["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            answer.set_data(json.dumps({**given, "id_token": self.forge(claims)}))
        return answer

    def _hold_to_pkce(self) -> Any:
        if flask.request.path != "/oauth2/token":
            return None
        self.key = RSAKey.import_key(
            flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True)
        )
        form = flask.request.form
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        wanted = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if self.challenges.get(form.get("code", "")) == wanted:
            return None
        return {"error": "invalid_grant"}, 400


def without_signature(claims: Claims) -> str:
    """A token of the algorithm `none`."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts), ""])


def by_another_key(claims: Claims) -> str:
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))


def by_the_shared_secret(claims: Claims) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))


@contextmanager
def run_provider() -> Iterator[SignInProvider]:
    """It listens on a free port of 127.0.0.1, and nobody there has an account yet."""
    provider = SignInProvider()
    app = oidc_provider_mock.app()
    app.before_request(provider._hold_to_pkce)
    app.after_request(provider._watch)
    with serve_app(app) as provider.url:
        yield provider


def begin(portal: TestClient, target: str = "") -> str:
    """Follow the link of the page to sign in; where it leads."""
    answer = portal.get("/sign-in/provider", params={"next": target})
    assert answer.status_code == 303, alert(answer)
    return answer.headers["location"]


def sign_in(
    portal: TestClient, provider: SignInProvider, subject: str, target: str = ""
) -> httpx.Response:
    return portal.get(provider.approve(begin(portal, target), subject))


def me(portal: TestClient) -> dict[str, object]:
    found = portal.get("/api/v1/me", headers={"Accept": "application/json"}).json()
    return {name: found.get(name) for name in ("email", "role", "teams")}


def events_of(environment: Environment, target: str) -> list[tuple[object, ...]]:
    found = "select action, detail->>'by', detail->>'reason' from audit_event"
    return ask(environment, f"{found} where target = '{target}' order by id")
