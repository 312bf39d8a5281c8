"""`docker.RemoteImage`: an image that the engine holds: found, pulled or built."""

from pathlib import Path

from plugins.docker.build.client import Builder
from plugins.docker.check import Failure
from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.fields import replaces, unordered, updates
from plugins.docker.image_names import pick_repo_digest
from plugins.docker.image_transfer import ImageTransfer, TransferError
from plugins.docker.registry_auth import RegistryCredentials
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
from plugins.docker.resources.image_inputs import check_arguments
from plugins.docker.resources.image_removal import remove_image
from plugins.docker.resources.remote_image_build import (
    build_credentials,
    build_request,
    check_build,
)
from plugins.docker.values import Values, has_unknown

# The engine starts the provider in the folder of the program.
PROJECT = Path()
BUILD_DEFAULTS = {"dockerfile": "Dockerfile", "remove": True}


class RemoteImageResource(Resource):
    """Finds an image on the engine, else pulls it, or builds it first if there is a build block.

    The id is the image's id and its name in one word, as in the official provider.
    """

    token = "docker:index/remoteImage:RemoteImage"
    fields = {  # noqa: RUF012 - declared as a ClassVar by the base class
        "name": replaces(),
        "platform": replaces(),
        "pullTriggers": replaces(normalise=unordered),
        "triggers": replaces(),
        "keepLocally": updates(),
        "forceRemove": updates(),
        "build": replaces(nested_defaults=BUILD_DEFAULTS),
    }

    def check(self, request: CheckRequest) -> Checked:
        """Check inputs; a secret build argument is refused."""
        checked = super().check(request)
        return with_argument_failures(checked, request)

    def find_mistakes(self, inputs: Values) -> list[Failure]:
        """Check the build block once all of it is known."""
        return build_mistakes(inputs)

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Build if there is a build block; then find the image, or pull it."""
        build_if_wanted(context, request.inputs)
        outputs = _found(context, request.inputs)
        return Made(f"{outputs['imageId']}{outputs['name']}", outputs)

    def update(self, context: Context, request: UpdateRequest) -> Values:
        """Find the image again; nothing is built."""
        return _found(context, request.inputs)

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Find the image under its name; an image that was tagged anew has a new id."""
        name = request.state.get("name") or _imported_name(request.id)
        image = ImageTransfer(context.client).local_image(name)
        if image is None:
            return None
        digest = pick_repo_digest(name, image.get("RepoDigests") or [])
        found = {"name": name, "imageId": image["Id"], "repoDigest": digest}
        inputs = request.inputs or {"name": name}
        return Read(f"{image['Id']}{name}", request.state | found, inputs)

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Remove the image by its name, unless it is to be kept.

        Raises
        ------
        ResourceError
            Raised when a container uses it.
        """
        if not request.state.get("keepLocally"):
            force = bool(request.state.get("forceRemove"))
            remove_image(context.client, request.state["name"], force=force)


def build_mistakes(inputs: Values) -> list[Failure]:
    """What is wrong with the build block, once all of it is known."""
    build = inputs.get("build")
    if not build or has_unknown(build):
        return []
    return [Failure(*failure) for failure in check_build(build, PROJECT)]


def with_argument_failures(checked: Checked, request: CheckRequest) -> Checked:
    """The result of a check, and a failure for each secret build argument."""
    build = checked.inputs.get("build")
    arguments = build.get("buildArgs") if isinstance(build, dict) else None
    found = check_arguments(arguments, "build.buildArgs", request.secret_paths)
    return Checked(checked.inputs, (*checked.failures, *(Failure(*failure) for failure in found)))


def build_if_wanted(context: Context, inputs: Values) -> None:
    """Build the image that the build block describes, if there is one.

    Raises
    ------
    ResourceError
        Raised with the failing step.
    """
    build = inputs.get("build")
    if not build:
        return
    credentials = RegistryCredentials(context.settings.registry_auth)

    def credentials_for(host: str) -> tuple[str, str] | None:
        found = credentials.for_registry(host)
        return build_credentials(build, host) or (found and found.as_session_answer())

    builder = Builder(context.client, credentials_for, context.cancellation)
    builder.build(build_request(inputs["name"], build, PROJECT), context.show_status)


def _found(context: Context, inputs: Values) -> Values:
    name = inputs["name"]
    transfer = ImageTransfer(context.client, context.cancellation)
    image = transfer.local_image(name) or _pulled(context, transfer, inputs)
    digest = pick_repo_digest(name, image.get("RepoDigests") or [])
    return inputs | {"imageId": image["Id"], "repoDigest": digest}


def _pulled(context: Context, transfer: ImageTransfer, inputs: Values) -> Values:
    name = inputs["name"]
    credentials = RegistryCredentials(context.settings.registry_auth).for_image(name)
    try:
        transfer.pull(name, inputs.get("platform") or "", credentials, context.show_status)
    except TransferError as error:
        raise ResourceError(
            f"image '{name}': should be present locally or in a registry (got: {error}). "
            "Correct the name, build or pull the image first, or set docker:registryAuth."
        ) from error
    return transfer.local_image(name) or {}


def _imported_name(resource_id: str) -> str:
    """Name in `sha256:<64 hex digits><name>`, or the id itself, taken as a name."""
    id_length = len("sha256:") + 64
    is_own_form = resource_id.startswith("sha256:") and len(resource_id) > id_length
    return resource_id[id_length:] if is_own_form else resource_id
