"""Builds and pushes `docker.Image`: the work behind create and update."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugins.docker.build.client import BUILDKIT, CLASSIC_BUILDER, Builder, BuildRequest
from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.image_names import registry_host, registry_of, split_tag
from plugins.docker.image_transfer import ImageTransfer, TransferError
from plugins.docker.registry_auth import Credentials, RegistryCredentials
from plugins.docker.resources.image_inputs import ImageInputs, build_context
from plugins.docker.values import Values


class ImageBuilds:
    """Builds images on one engine.

    Parameters
    ----------
    context
        The engine, the settings and where lines go.
    project
        Folder that relative paths in the inputs start from.
    """

    def __init__(self, context: Context, project: Path) -> None:
        self._context = context
        self._credentials = RegistryCredentials(context.settings.registry_auth)
        self._project = project
        self._transfer = ImageTransfer(context.client, context.cancellation)

    def build(self, inputs: ImageInputs, *, may_push: bool) -> Values:
        """Build, push unless told otherwise, and return the resource's outputs.

        Raises
        ------
        ResourceError
            Raised with the step or the registry's reason.
        """
        self._pull_cache(inputs)
        show = self._context.show_status
        image_id = self._builder(inputs).build(self._request(inputs), show)
        outputs = known_outputs(inputs, self._project)
        if inputs.skips_push or not may_push:
            return {**outputs, "repoDigest": image_id}
        return {**outputs, "repoDigest": self._push(inputs)}

    def _builder(self, inputs: ImageInputs) -> Builder:
        def credentials_for(host: str) -> tuple[str, str] | None:
            found = self._credentials_for(inputs, host)
            return found.as_session_answer() if found else None

        return Builder(self._context.client, credentials_for, self._context.cancellation)

    def _request(self, inputs: ImageInputs) -> BuildRequest:
        build = inputs.build
        return BuildRequest(
            image_name=inputs.image_name,
            context=build_context(build, self._project),
            dockerfile_name=build["dockerfile"],
            builder=self._builder_version(build),
            parameters={
                "buildargs": build.get("args") or None,
                "target": build.get("target") or None,
                "platform": build["platform"],
                "networkmode": build.get("network") or None,
                "extrahosts": build.get("addHosts") or None,
                "cachefrom": inputs.cached_images or None,
            },
        )

    def _builder_version(self, build: Mapping[str, Any]) -> str:
        if build.get("builderVersion") == "BuilderV1":
            return CLASSIC_BUILDER
        if Builder(self._context.client).has_buildkit():
            return BUILDKIT
        self._context.show_warning(
            "the engine has no BuildKit: the classic builder is used, without RUN --mount. "
            "Update the engine to 18.09 or newer."
        )
        return CLASSIC_BUILDER

    def _pull_cache(self, inputs: ImageInputs) -> None:
        for name in inputs.cached_images:
            credentials = self._credentials_for(inputs, registry_of(name))
            try:
                platform = inputs.build["platform"]
                self._transfer.pull(name, platform, credentials, self._context.show_status)
            except TransferError as error:
                # A cold cache makes a build slower, not wrong.
                self._context.show_info(f"cacheFrom image {name} is not available: {error}")

    def _push(self, inputs: ImageInputs) -> str:
        name = inputs.image_name
        credentials = self._credentials_for(inputs, self._push_registry(inputs))
        try:
            digest = self._transfer.push(name, credentials, self._context.show_status)
        except TransferError as error:
            raise ResourceError(
                f"image '{name}': should be accepted by its registry (got: {error}). "
                "Correct the name or registry.username and registry.password, or set skipPush."
            ) from error
        if digest:
            return f"{split_tag(name)[0]}@{digest}"
        self._context.show_warning("the push reported no digest; the engine's record is used")
        image = self._transfer.local_image(name) or {}
        return next(iter(image.get("RepoDigests") or ()), "<none>@<none>")

    def _push_registry(self, inputs: ImageInputs) -> str:
        return inputs.registry.get("server") or registry_of(inputs.image_name)

    def _credentials_for(self, inputs: ImageInputs, host: str) -> Credentials | None:
        username, password = inputs.registry.get("username"), inputs.registry.get("password")
        own_host = registry_host(self._push_registry(inputs))
        if username and password and registry_host(host) == own_host:
            return Credentials(own_host, username, password)
        return self._credentials.for_registry(host)


def known_outputs(inputs: ImageInputs, project: Path) -> Values:
    """Outputs that follow from the inputs alone."""
    context = build_context(inputs.build, project)
    return {
        "imageName": inputs.image_name,
        "baseImageName": inputs.image_name,
        "registryServer": inputs.registry.get("server") or "",
        "dockerfile": context.relative_dockerfile,
        "context": inputs.build["context"],
        "platform": inputs.build["platform"],
    }
