"""`docker.Image`: an image built by the engine from a local context."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plugins.docker.check import Failure, check_shape
from plugins.docker.context import Context
from plugins.docker.diff import Change, Diff
from plugins.docker.fields import updates
from plugins.docker.image_transfer import ImageTransfer
from plugins.docker.resource import (
    Checked,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    Made,
    Read,
    ReadRequest,
    Resource,
    UpdateRequest,
)
from plugins.docker.resources.image_builds import ImageBuilds, known_outputs
from plugins.docker.resources.image_changes import changed_paths
from plugins.docker.resources.image_inputs import (
    ImageInputs,
    can_build_in_preview,
    check_arguments,
    check_builder,
    check_names,
    digest_context,
    with_defaults,
)
from plugins.docker.values import UNKNOWN, Values, has_unknown

# Where the official provider keeps the inputs of the last build, so that states can be exchanged.
_INPUTS = "__inputs"
_SECRET_OUTPUTS = frozenset({_INPUTS})
# The engine starts the provider in the folder of the program.
_PROJECT = Path()


class ImageResource(Resource):
    """Builds on create and on every update, and never replaces or removes an image.

    Unlike the official provider's, `read` finds an image gone when the engine no longer has it
    under its name, so that `pulumi refresh` and `up` bring it back.
    """

    token = "docker:index/image:Image"
    fields = {  # noqa: RUF012 - declared as a ClassVar by the base class
        "imageName": updates(),
        "skipPush": updates(),
        "buildOnPreview": updates(),
        "registry": updates(),
        "build": updates(),
    }

    def check(self, request: CheckRequest) -> Checked:
        """Check inputs, fill in defaults and add the hash of the build context."""
        given, failures = check_shape(self.token, self.fields, _without_digest(request.inputs))
        if failures:
            return Checked(given, tuple(failures))
        inputs = with_defaults(given)
        mistakes = [Failure(*failure) for failure in _mistakes(inputs, request.secret_paths)]
        if not mistakes:
            mistakes = [Failure(*failure) for failure in digest_context(inputs, _PROJECT)]
        return Checked(inputs, tuple(mistakes))

    def diff(self, request: DiffRequest) -> Diff:
        """Compare the inputs of the last build with the new ones, deeply."""
        last = request.state.get(_INPUTS) or request.old_inputs
        changes = {
            path: Change(replaces=False, added=kind == "add", removed=kind == "delete")
            for path, kind in changed_paths(last, request.inputs)
        }
        return Diff(changes)

    def preview_create(self, context: Context, request: CreateRequest) -> Values:
        """Build if `buildOnPreview` says so; else only the digest is unknown."""
        return _previewed(context, request.inputs)

    def preview_update(self, context: Context, request: UpdateRequest) -> Values:
        """Build if `buildOnPreview` says so; else only the digest is unknown."""
        return _previewed(context, request.inputs)

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Build, and push unless `skipPush`; the id is the image's name."""
        outputs = _built(context, request.inputs)
        return Made(outputs["imageName"], outputs, _SECRET_OUTPUTS)

    def update(self, context: Context, request: UpdateRequest) -> Values:
        """Build again; the id stays, even with a new name."""
        return _built(context, request.inputs)

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Find the image under its name; a pushed one is the registry's business."""
        name = request.state.get("imageName") or request.id
        image = ImageTransfer(context.client).local_image(name)
        if request.is_import:
            return _imported(name, image["Id"]) if image else None
        digest = request.state.get("repoDigest", "")
        is_local = digest.startswith("sha256:")
        if is_local and (image is None or image["Id"] != digest):
            return None
        return Read(request.id, request.state, request.inputs, _SECRET_OUTPUTS)

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Leave the image on the engine, as the official provider does."""


def _without_digest(inputs: Values) -> Values:
    # It comes back with the old inputs where the program ignores changes of the build.
    build = inputs.get("build")
    if not isinstance(build, dict):
        return inputs
    return inputs | {"build": {key: build[key] for key in build if key != "contextDigest"}}


def _mistakes(inputs: Values, secret_paths: frozenset[str]) -> Iterator[tuple[str, str]]:
    build: Any = inputs["build"]
    arguments = build.get("args") if isinstance(build, dict) else None
    yield from check_names(inputs)
    yield from check_builder(inputs)
    yield from check_arguments(arguments, "build.args", secret_paths)


def _previewed(context: Context, inputs: Values) -> Values:
    if can_build_in_preview(inputs):
        return ImageBuilds(context, _PROJECT).build(ImageInputs.of(inputs), may_push=False)
    if has_unknown(inputs):
        names = ("imageName", "baseImageName", "registryServer", "dockerfile", "context")
        unknown = dict.fromkeys((*names, "platform", "repoDigest"), UNKNOWN)
        return unknown | {"imageName": inputs["imageName"], "baseImageName": inputs["imageName"]}
    return {**known_outputs(ImageInputs.of(inputs), _PROJECT), "repoDigest": UNKNOWN}


def _built(context: Context, inputs: Values) -> Values:
    outputs = ImageBuilds(context, _PROJECT).build(ImageInputs.of(inputs), may_push=True)
    return {**outputs, _INPUTS: inputs}


def _imported(name: str, image_id: str) -> Read:
    inputs = {"imageName": name, "skipPush": True}
    outputs = {"imageName": name, "baseImageName": name, "repoDigest": image_id}
    return Read(name, outputs, inputs)
