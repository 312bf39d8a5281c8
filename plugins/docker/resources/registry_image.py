"""`docker.RegistryImage`: a local image pushed to its registry."""

from docker.errors import APIError

from plugins.docker.check import Failure
from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.fields import replaces, unsupported, updates
from plugins.docker.image_names import registry_host, registry_of
from plugins.docker.image_transfer import ImageTransfer, TransferError
from plugins.docker.registry_api import RegistryError, delete_from_registry
from plugins.docker.registry_auth import Credentials, RegistryCredentials
from plugins.docker.resource import (
    Checked,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    Made,
    Read,
    ReadRequest,
    Resource,
    UpdateRequest,
)
from plugins.docker.resources.remote_image import (
    BUILD_DEFAULTS,
    build_if_wanted,
    build_mistakes,
    with_argument_failures,
)
from plugins.docker.values import Values


class RegistryImageResource(Resource):
    """Pushes an image that the engine holds, and removes it from the registry in the end."""

    token = "docker:index/registryImage:RegistryImage"
    autonamed = True
    fields = {  # noqa: RUF012 - declared as a ClassVar by the base class
        "name": replaces(),
        "triggers": replaces(),
        "keepRemotely": updates(),
        "authConfig": updates(),
        "build": replaces(nested_defaults=BUILD_DEFAULTS),
        "insecureSkipVerify": unsupported(
            "It is the engine that talks to the registry: "
            "name the registry under insecure-registries in the engine's own settings."
        ),
    }

    def check(self, request: CheckRequest) -> Checked:
        """Check inputs; a secret build argument is refused."""
        return with_argument_failures(super().check(request), request)

    def find_mistakes(self, inputs: Values) -> list[Failure]:
        """Check the build block once all of it is known."""
        return build_mistakes(inputs)

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Build if there is a build block; then push. The id is the digest in the registry.

        Raises
        ------
        ResourceError
            Raised with the failing step or the registry's reason.
        """
        inputs = request.inputs
        build_if_wanted(context, inputs)
        digest = _pushed(context, inputs) or _remote_digest(context, inputs)
        if not digest:
            raise ResourceError(
                f"image '{inputs['name']}': should have a digest in its registry after the push "
                "(got none). See the registry's log."
            )
        return Made(digest, inputs | {"sha256Digest": digest})

    def update(self, context: Context, request: UpdateRequest) -> Values:
        """Take over settings that only matter later; nothing is pushed."""
        return request.state | request.inputs

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Ask the registry; like the official provider, no answer means gone."""
        if request.is_import:
            return None
        digest = _remote_digest(context, request.state)
        if not digest:
            return None
        return Read(request.id, request.state | {"sha256Digest": digest}, request.inputs)

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Remove the image from the registry, unless it is to be kept.

        Raises
        ------
        ResourceError
            Raised with the registry's reason.
        """
        state = request.state
        if state.get("keepRemotely"):
            return
        name = state["name"]
        try:
            delete_from_registry(name, state["sha256Digest"], _credentials(context, state))
        except RegistryError as error:
            raise ResourceError(
                f"image '{name}': its registry should remove it (got: {error}). "
                "Allow it there, correct authConfig, or set keepRemotely."
            ) from error


def _credentials(context: Context, values: Values) -> Credentials | None:
    own = values.get("authConfig")
    if own:
        server = registry_host(own["address"])
        return Credentials(server, own.get("username", ""), own.get("password", ""))
    return RegistryCredentials(context.settings.registry_auth).for_registry(
        registry_of(values["name"])
    )


def _pushed(context: Context, inputs: Values) -> str:
    name = inputs["name"]
    transfer = ImageTransfer(context.client, context.cancellation)
    try:
        return transfer.push(name, _credentials(context, inputs), context.show_status)
    except TransferError as error:
        raise ResourceError(
            f"image '{name}': should be accepted by its registry (got: {error}). "
            "Correct the name, authConfig or docker:registryAuth."
        ) from error


def _remote_digest(context: Context, values: Values) -> str:
    credentials = _credentials(context, values)
    try:
        found = context.client.api.inspect_distribution(
            values["name"], auth_config=credentials.as_header() if credentials else {}
        )
    except APIError:
        return ""
    return found["Descriptor"]["digest"]
