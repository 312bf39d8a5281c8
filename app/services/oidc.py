"""OpenID Connect: the authorisation code flow with PKCE, as far as the provider is concerned.

What the provider says of a person is verified here; which account that is, others decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError

from app.config import Config
from app.constants import PROVIDER_CLOCK_SECONDS
from app.exceptions import SignInRefusedError, one_line
from app.services.oidc_discovery import Discovery, ask, away
from app.storage.sign_in_attempts import Attempt

_ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
"""Signatures by keys that only the provider has; neither `none` nor a secret that is shared."""


@dataclass(frozen=True)
class Verified:
    """The claims of a good id_token, and the token, which a sign-out names."""

    claims: Mapping[str, Any]
    id_token: str


class OidcProvider:
    """One provider, by its issuer."""

    def __init__(self, config: Config, issuer: str) -> None:
        secret = config.oidc_client_secret
        self.issuer = issuer
        self._client_id = config.oidc_client_id
        self._client_secret = secret.get_secret_value() if secret else None
        self._scope = " ".join(["openid", *config.oidc_scopes])
        self._discovery = Discovery(issuer)

    async def start(self, state: str, attempt: Attempt, redirect_uri: str) -> str:
        """Where the browser is sent.

        Raises
        ------
        UnavailableError
            Raised when the provider does not answer, or not as one.
        """
        metadata = await self._discovery.metadata()
        return prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._scope,
            state=state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )

    async def finish(
        self, attempt: Attempt, redirect_uri: str, *, code: str, issuer: str
    ) -> Verified:
        """The verified claims of the person that the code stands for.

        Parameters
        ----------
        issuer
            Who sent the code, if the answer says so (RFC 9207).

        Raises
        ------
        SignInRefusedError
            Raised for a code that the provider refuses, and for an id_token that is not good.
        UnavailableError
            Raised when the provider does not answer, or not as one.
        """
        metadata = await self._discovery.metadata()
        says_who = metadata.authorization_response_iss_parameter_supported
        if (issuer or says_who) and issuer != self.issuer:
            raise _refused("iss names another provider")
        answer = await self._exchange(code, attempt.verifier, redirect_uri)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("there is no id_token")
        claims = await self._verify(token, attempt.nonce)
        more = await self._ask_userinfo(answer.get("access_token"), claims)
        # What is signed comes first.
        return Verified({**more, **claims}, token)

    async def sign_out_url(self, id_token: str, back: str) -> str | None:
        """Where the browser ends its session at the provider; None if it has no such place."""
        endpoint = (await self._discovery.metadata()).end_session_endpoint
        if endpoint is None:
            return None
        query = {
            "id_token_hint": id_token,
            "client_id": self._client_id,
            "post_logout_redirect_uri": back,
        }
        return add_params_to_uri(endpoint, list(query.items()))

    async def _exchange(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        metadata = await self._discovery.metadata()
        method = metadata.secret_method if self._client_secret else "none"
        body = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier
        )
        client = ClientAuth(self._client_id, self._client_secret, method)
        url, headers, body = client.prepare("POST", metadata.token_endpoint, {}, body)
        status, answer = await ask(url, form=body, headers=headers)
        if not isinstance(answer, dict):
            raise away()
        if status != 200 or "error" in answer:
            raise _refused(f"the code was refused: {str(answer.get('error', status))[:100]}")
        return answer

    async def _verify(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            decoded = await self._decode(token)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
                params={"nonce": nonce, "client_id": self._client_id},
            )
            claims.validate(leeway=PROVIDER_CLOCK_SECONDS)
        except (AuthlibBaseError, JoseError, ValueError) as error:
            raise _refused(f"id_token: {one_line(error)}") from error
        return dict(claims)

    async def _decode(self, token: str) -> jwt.Token:
        """The token, checked with the keys known; with those of now if none of these fits."""
        try:
            return jwt.decode(token, await self._discovery.keys(), algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            keys = await self._discovery.keys(anew=True)
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)

    async def _ask_userinfo(self, access_token: Any, claims: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider tells there alone: it need not put address and groups in the token."""
        endpoint = (await self._discovery.metadata()).userinfo_endpoint
        if endpoint is None or not isinstance(access_token, str):
            return {}
        status, found = await ask(endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200 or not isinstance(found, dict):
            raise away()
        if found.get("sub") != claims["sub"]:
            raise _refused("userinfo is another person's")
        return found


def _refused(reason: str) -> SignInRefusedError:
    said = "the sign-in provider's answer is not good for this sign-in: try again"
    return SignInRefusedError(said, reason=reason)
