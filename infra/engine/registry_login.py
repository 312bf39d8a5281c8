"""Who the stack's registry lets in: asked before anything is pushed there or pulled from it.

The engine asks, as it is the engine that pushes.
"""

import secrets

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.errors import ProviderError

_REQUEST_SECONDS = 60


class LoginError(ProviderError):
    """The registry did not let the stack in."""


class _RegistryLoginProvider(EngineProvider):
    key = "server"
    identity = ("server",)
    inputs = ("credentials",)

    def put(self, olds: Props, news: Props) -> Props:
        server, api = news["server"], engine_of(news).api
        # The SDK's own `login` asks this machine's store of passwords first, which may not work.
        answer = api.post(
            f"{api.base_url}/v{api.api_version}/auth",
            json={**news["credentials"], "serveraddress": server},
            timeout=_REQUEST_SECONDS,
        )
        if not answer.ok:
            raise LoginError(_refusal(server, answer.json()["message"]))
        return {"revision": secrets.token_hex(6)}


def _refusal(server: str, reason: object) -> str:
    return (
        f"devportal:cluster.registry_password: should let cluster.registry_user in at {server} "
        f"(got: {reason}). Set it with `pulumi config set --secret --path "
        "devportal:cluster.registry_password`."
    )


class RegistryLogin(EngineResource, module="devportal", name="RegistryLogin"):
    """A user of a registry, and a password that was right when it was set.

    Parameters
    ----------
    server
        The registry's host, with its port.
    """

    credentials: pulumi.Output[dict[str, str]]
    """`username` and `password`, once the registry has taken them."""
    revision: pulumi.Output[str]
    """A random word, new with other credentials: services are updated by it, and it reveals
    nothing of them."""

    def __init__(
        self,
        name: str,
        *,
        server: str,
        user: str,
        password: str,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        credentials = pulumi.Output.secret({"username": user, "password": password})
        props: Props = {"server": server, "credentials": credentials, "revision": None}
        hidden = ("credentials",)
        super().__init__(_RegistryLoginProvider(), name, engine, props, opts, hidden)
