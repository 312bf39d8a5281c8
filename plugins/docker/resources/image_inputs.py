"""What `docker.Image` takes: checked, with the defaults of the official provider."""

import platform
import posixpath
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.docker.build.context import BuildContext, ContextError
from plugins.docker.build.digest import context_digest
from plugins.docker.build.dockerignore import DockerignoreError
from plugins.docker.image_names import is_fully_qualified
from plugins.docker.values import UNKNOWN, first_name, has_unknown, join_path

Failure = tuple[str, str]
"""Path of an input, and what is wrong with it."""

DOCKERFILE = "Dockerfile"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_BUILDERS = ("BuilderBuildKit", "BuilderV1")
# Docker itself keeps these out of an image's history.
_UNRECORDED_ARGUMENTS = frozenset(
    name
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (proxy, proxy.lower())
)
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?"
_IMAGE_NAME = re.compile(rf"{_HOST}{_COMPONENT}(?:/{_COMPONENT})*(?::[\w][\w.-]{{0,127}})?", re.A)


def check_names(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Rules on names, once types are known to be right."""
    name, build = inputs.get("imageName"), _object(inputs.get("build"))
    if not isinstance(name, str):
        return
    if not _IMAGE_NAME.fullmatch(name):
        yield "imageName", f"should be repository[:tag] in lower case (got '{name}')"
    cached = _object(build.get("cacheFrom")).get("images")
    needs_registry = inputs.get("skipPush") is not True or bool(cached)
    server = _object(inputs.get("registry")).get("server")
    if needs_registry and not server and not is_fully_qualified(name):
        yield (
            "imageName",
            f"should start with its registry to be pushed or to use cacheFrom (got '{name}'). "
            f"Write for example docker.io/me/{name}, or set skipPush",
        )


def check_arguments(arguments: Any, path: str, secret_paths: Set[str]) -> Iterator[Failure]:
    """Refuse a secret where docker would write it into the image's history.

    Parameters
    ----------
    arguments
        The build arguments by name.
    path
        Where they are among the inputs, such as `build.args`.
    secret_paths
        Paths of all secrets among the inputs.
    """
    covering = {path, first_name(path)} & secret_paths
    for name in arguments if isinstance(arguments, dict) else ():
        is_secret = covering or join_path(path, name) in secret_paths
        if is_secret and name not in _UNRECORDED_ARGUMENTS:
            yield (
                join_path(path, name),
                "should not be a secret: docker writes build arguments into the image's history. "
                "Use RUN --mount=type=secret with docker.RemoteImage's build.secrets",
            )


def check_builder(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Refuse a builder that does not exist."""
    builder = _object(inputs.get("build")).get("builderVersion")
    if isinstance(builder, str) and builder not in _BUILDERS:
        yield "build.builderVersion", f"should be {' or '.join(_BUILDERS)} (got '{builder}')"


def with_defaults(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the official provider keeps them, less the context's digest."""
    build = inputs.get("build")
    if build is UNKNOWN:
        return {"buildOnPreview": False, **inputs}
    build = dict(build or {})
    context = build.setdefault("context", ".")
    if "dockerfile" not in build and context is not UNKNOWN:
        build["dockerfile"] = posixpath.normpath(posixpath.join(context, DOCKERFILE))
    build.setdefault("platform", default_platform())
    build.pop("contextDigest", None)
    return {"buildOnPreview": False, **inputs, "build": build}


def default_platform() -> str:
    """Linux on this machine's architecture, in docker's words."""
    machine = platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def digest_context(inputs: dict[str, Any], project: Path) -> Iterator[Failure]:
    """Add `build.contextDigest`; yields what is wrong with the context or the Dockerfile.

    Does nothing while one of the two paths is not known yet.
    """
    build = inputs["build"]
    if build is UNKNOWN or UNKNOWN in (build.get("context"), build.get("dockerfile", UNKNOWN)):
        return
    failure = _missing_file(build, project)
    if failure:
        yield failure
        return
    context = build_context(build, project)
    try:
        build["contextDigest"] = context_digest(context)
    except (ContextError, DockerignoreError) as error:
        yield "build.context", str(error)


def _missing_file(build: Mapping[str, Any], project: Path) -> Failure | None:
    context, dockerfile = build["context"], build["dockerfile"]
    if not (project / context).is_dir():
        return "build.context", f"should be a folder, seen from the project (got '{context}')"
    if (project / dockerfile).is_file():
        return None
    inside = posixpath.normpath(posixpath.join(context, dockerfile))
    hint = f". Did you mean '{inside}'?" if (project / inside).is_file() else ""
    return (
        "build.dockerfile",
        f"should be a file, seen from the project (got '{dockerfile}'){hint}",
    )


def build_context(build: Mapping[str, Any], project: Path) -> BuildContext:
    """Context of the build block; its paths are seen from the project's folder."""
    return BuildContext(project / build["context"], project / build["dockerfile"])


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True)
class ImageInputs:
    """Checked inputs without unknowns."""

    image_name: str
    skips_push: bool
    build: Mapping[str, Any]
    registry: Mapping[str, Any] = field(repr=False)

    @staticmethod
    def of(inputs: Mapping[str, Any]) -> "ImageInputs":
        """Take inputs as `check` returned them."""
        return ImageInputs(
            image_name=inputs["imageName"],
            skips_push=bool(inputs.get("skipPush")),
            build=inputs["build"],
            registry=inputs.get("registry") or {},
        )

    @property
    def cached_images(self) -> list[str]:
        """Images whose layers may serve as cache."""
        return list((self.build.get("cacheFrom") or {}).get("images") or ())


def can_build_in_preview(inputs: Mapping[str, Any]) -> bool:
    """Whether a preview should build, and knows enough to."""
    return inputs.get("buildOnPreview") is True and not has_unknown(inputs)
