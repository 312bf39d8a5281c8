"""The `build` block of `docker.RemoteImage` and `docker.RegistryImage`, as a build request."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plugins.docker.build.client import BUILDKIT, CLASSIC_BUILDER, BuildRequest
from plugins.docker.build.context import BuildContext
from plugins.docker.errors import ResourceError

Failure = tuple[str, str]
"""Path of an input, and what is wrong with it."""

# Input -> query of the engine's build call, where the value goes as it is.
_PARAMETERS = {
    "buildArgs": "buildargs",
    "buildId": "buildid",
    "cacheFroms": "cachefrom",
    "cgroupParent": "cgroupparent",
    "cpuPeriod": "cpuperiod",
    "cpuQuota": "cpuquota",
    "cpuSetCpus": "cpusetcpus",
    "cpuSetMems": "cpusetmems",
    "cpuShares": "cpushares",
    "extraHosts": "extrahosts",
    "forceRemove": "forcerm",
    "isolation": "isolation",
    "memory": "memory",
    "memorySwap": "memswap",
    "networkMode": "networkmode",
    "noCache": "nocache",
    "platform": "platform",
    "pullParent": "pull",
    "remove": "rm",
    "shmSize": "shmsize",
    "squash": "squash",
    "suppressOutput": "q",
    "target": "target",
}
_INTEGERS = ("cpuPeriod", "cpuQuota", "cpuShares", "memory", "memorySwap", "shmSize")
# What only a buildx builder can do, or what would change how this provider talks to the engine.
_UNSUPPORTED = (
    "additionalContexts",
    "buildLogFile",
    "builder",
    "cacheTos",
    "provenance",
    "remoteContext",
    "sbom",
    "securityOpts",
    "sessionId",
)
_VERSIONS = (CLASSIC_BUILDER, BUILDKIT)


class BuildSecretError(ResourceError):
    """A build secret has no content; the message names it, never its content."""


def check_build(build: Mapping[str, Any], project: Path) -> Iterator[Failure]:
    """Rules on a build block whose types are right and which holds no unknowns."""
    for key in _UNSUPPORTED:
        if build.get(key):
            yield (
                f"build.{key}",
                "is not supported by this provider: it builds with the engine's own BuildKit. "
                "Leave it out, or use the official docker provider",
            )
    for index, cache in enumerate(build.get("cacheFroms") or ()):
        if "=" in cache:
            yield f"build.cacheFroms[{index}]", f"should be an image name (got '{cache}')"
    if build.get("version") and build["version"] not in _VERSIONS:
        got = build["version"]
        yield "build.version", f"should be {' or '.join(_VERSIONS)} (got '{got}')"
    yield from _check_secrets(build.get("secrets") or ())
    yield from _check_files(build, project)


def _check_secrets(secrets: Sequence[Mapping[str, Any]]) -> Iterator[Failure]:
    for index, secret in enumerate(secrets):
        if not secret.get("env") and not secret.get("src"):
            yield f"build.secrets[{index}]", "should have src or env"


def _check_files(build: Mapping[str, Any], project: Path) -> Iterator[Failure]:
    if not (project / build["context"]).is_dir():
        got = build["context"]
        yield "build.context", f"should be a folder, seen from the project (got '{got}')"
    elif not build_context(build, project).dockerfile.is_file():
        got = build.get("dockerfile") or "Dockerfile"
        yield "build.dockerfile", f"should be a file, seen from build.context (got '{got}')"


def build_context(build: Mapping[str, Any], project: Path) -> BuildContext:
    """Context of the block; its Dockerfile is seen from the context, not from the project."""
    folder = (project / build["context"]).expanduser()
    return BuildContext(folder, folder / (build.get("dockerfile") or "Dockerfile"))


def build_request(image_name: str, build: Mapping[str, Any], project: Path) -> BuildRequest:
    """Request for a block that `check_build` accepted.

    Raises
    ------
    BuildSecretError
        Raised for a secret whose file or environment variable is missing.
    """
    parameters = {
        query: _integer(key, build[key])
        for key, query in _PARAMETERS.items()
        if build.get(key) not in (None, "", [], {})
    }
    labels = {**(build.get("label") or {}), **(build.get("labels") or {})}
    ulimits = [_ulimit(limit) for limit in build.get("ulimits") or ()]
    uses_classic = build.get("useLegacyBuilder") or build.get("version") == CLASSIC_BUILDER
    return BuildRequest(
        image_name=image_name,
        extra_tags=list(build.get("tags") or ()),
        context=build_context(build, project),
        dockerfile_name=build.get("dockerfile") or "Dockerfile",
        parameters=parameters | {"labels": labels or None, "ulimits": ulimits or None},
        builder=CLASSIC_BUILDER if uses_classic else BUILDKIT,
        secret_values=_secret_values(build.get("secrets") or (), project),
    )


def build_credentials(build: Mapping[str, Any], host: str) -> tuple[str, str] | None:
    """User and password that the block itself gives for a registry."""
    for entry in build.get("authConfigs") or ():
        if host in (entry["hostName"], entry.get("serverAddress")):
            token = entry.get("identityToken") or ""
            return ("", token) if token else (entry.get("userName", ""), entry.get("password", ""))
    return None


def _integer(key: str, value: Any) -> Any:
    # Every number of a Pulumi program arrives as a floating-point one.
    return int(value) if key in _INTEGERS else value


def _ulimit(limit: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": limit["name"], "Soft": int(limit["soft"]), "Hard": int(limit["hard"])}


def _secret_values(secrets: Sequence[Mapping[str, Any]], project: Path) -> dict[str, bytes]:
    return {secret["id"]: _secret_value(secret, project) for secret in secrets}


def _secret_value(secret: Mapping[str, Any], project: Path) -> bytes:
    # A file comes before a variable, as with the docker CLI.
    if secret.get("src"):
        try:
            return (project / secret["src"]).expanduser().read_bytes()
        except OSError as error:
            raise BuildSecretError(
                f"build secret '{secret['id']}': {secret['src']} should be readable "
                f"(got: {(error.strerror or 'error').lower()}). Correct build.secrets."
            ) from error
    value = os.environb.get(os.fsencode(secret["env"]))
    if value is None:
        raise BuildSecretError(
            f"build secret '{secret['id']}': environment variable {secret['env']} should be set "
            "(got none). Set it, or correct build.secrets."
        )
    return value
