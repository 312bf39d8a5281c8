"""An image of the stack's engine in a registry, where the other nodes of a cluster find it.

The engine pushes it, so the machine that runs Pulumi need not reach the registry. The docker
provider's own resource asks the registry itself, and refuses one that needs no login.
"""

import re
from typing import Any

import docker
import pulumi
from docker.errors import DockerException

from infra.engine.address import EngineAddress
from infra.engine.client import connect
from infra.engine.registry_login import RegistryLogin
from infra.engine.resource import EngineProvider, EngineResource, Props
from infra.errors import ProviderError

_TAG_CHARACTERS = 12
# It says nothing while a layer that two images share goes with the other one.
_PUSH_SILENCE_SECONDS = 600
# Its last line, `<tag>: digest: sha256:... size: 1234`. The same as data (`aux`) comes from the
# engine's own image store alone, not from containerd's, which new engines have since Docker 29.
_PUSHED = re.compile(r": digest: (sha256:[0-9a-f]{64}) size: \d+$")


class PushError(ProviderError):
    """The registry did not take an image."""


class _PushedImageProvider(EngineProvider):
    identity = ("repository", "image")

    def id_of(self, props: Props) -> str:
        return f"{props['repository']}:{_tag_of(props['image'])}"

    def put(self, olds: Props, news: Props) -> Props:
        client = connect(EngineAddress.from_properties(news["engine"]), _PUSH_SILENCE_SECONDS)
        return {
            "reference": _push(client, news["repository"], news["image"], news.get("credentials"))
        }


def _push(
    client: docker.DockerClient, repository: str, image: str, credentials: dict[str, str] | None
) -> str:
    """The image by digest, `<repository>@sha256:...`, once the registry has it."""
    tag = _tag_of(image)
    try:
        client.api.tag(image, repository, tag)
        answers: list[dict[str, Any]] = list(
            client.api.push(repository, tag, stream=True, auth_config=credentials, decode=True)
        )
    except DockerException as error:
        # Without credentials of the stack's own the SDK looks into this machine's.
        reason = getattr(error, "explanation", None) or error
        raise PushError(_refusal(repository, reason)) from None
    for answer in answers:
        if "error" in answer:
            raise PushError(_refusal(repository, answer["error"]))
    found = [_PUSHED.search(answer.get("status", "")) for answer in answers]
    [digest] = [told[1] for told in found if told]
    return f"{repository}@{digest}"


def _tag_of(image: str) -> str:
    return image.removeprefix("sha256:")[:_TAG_CHARACTERS]


def _refusal(repository: str, reason: object) -> str:
    return (
        f"registry: should take the image {repository} (got: {reason}). Let the engine reach and "
        "write to devportal:cluster.registry; set devportal:cluster.registry_user and "
        "registry_password if it asks for them."
    )


class PushedImage(EngineResource, module="devportal", name="PushedImage"):
    """An image in a registry.

    Parameters
    ----------
    repository
        Registry and path.
    image
        Id of the image on the engine.
    login
        None for a registry that asks for no password.
    """

    reference: pulumi.Output[str]
    """The image by digest, which is the same on every node."""

    def __init__(
        self,
        name: str,
        *,
        repository: str,
        image: pulumi.Input[str],
        login: RegistryLogin | None,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {
            "repository": repository,
            "image": image,
            "credentials": login.credentials if login else None,
            "reference": None,
        }
        hidden = ("credentials",)
        super().__init__(_PushedImageProvider(), name, engine, props, opts, hidden)
