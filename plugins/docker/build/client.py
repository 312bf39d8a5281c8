"""Sends a build to the engine and follows it to its end."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import docker.errors
import requests
import urllib3

from plugins.docker.build.archive import stream_context
from plugins.docker.build.cancellation import Cancellation, CancelledError
from plugins.docker.build.context import BuildContext
from plugins.docker.build.failure import BuildError, build_error
from plugins.docker.build.progress import BuildProgress
from plugins.docker.build.session import CredentialsFor, SessionError, build_session

CLASSIC_BUILDER, BUILDKIT = "1", "2"
# Engine 18.09, the first whose BuildKit is no experiment.
_FIRST_BUILDKIT_API = (1, 39)

ShowLine = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One image to build.

    Parameters
    ----------
    image_name
        Name the image gets, and the one that messages use.
    context
        Files to send.
    dockerfile_name
        Dockerfile as the user wrote it, for messages.
    parameters
        Query of the engine's build call, less version, name, session and Dockerfile; lists are
        repeated, objects become JSON.
    builder
        `BUILDKIT` or `CLASSIC_BUILDER`.
    secret_values
        Content by id for `RUN --mount=type=secret`.
    """

    image_name: str
    context: BuildContext
    dockerfile_name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra_tags: Sequence[str] = ()
    builder: str = BUILDKIT
    secret_values: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Builder:
    """Builds on one engine.

    Parameters
    ----------
    client
        The Docker SDK's client.
    credentials_for
        Registry credentials for base images.
    cancellation
        Ends running builds when the user presses Ctrl-C.
    """

    def __init__(
        self,
        client: Any,
        credentials_for: CredentialsFor = lambda _host: None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._api = client.api
        self._credentials_for = credentials_for
        self._cancellation = cancellation or Cancellation()

    def has_buildkit(self) -> bool:
        """Whether the engine can build with BuildKit: Linux, and 18.09 or newer."""
        api_version = tuple(int(part) for part in self._api.api_version.split("."))
        return api_version >= _FIRST_BUILDKIT_API and self._api.info()["OSType"] == "linux"

    def build(self, request: BuildRequest, show: ShowLine) -> str:
        """Build, showing each line of output, and return the image's id, `sha256:...`.

        Raises
        ------
        BuildError
            Raised when a step fails, when the engine refuses or goes away.
        CancelledError
            Raised when the build was cancelled.
        """
        try:
            with self._session(request) as session_id, self._post(request, session_id) as response:
                return self._follow(request, response, show)
        except (requests.RequestException, docker.errors.APIError, SessionError) as error:
            self._cancellation.raise_if_cancelled()
            raise BuildError(
                f"image '{request.image_name}': the engine should take the build "
                f"(got: {_explanation(error)}). Correct its options, or see the engine's log."
            ) from error

    def _session(self, request: BuildRequest) -> contextlib.AbstractContextManager[str]:
        if request.builder != BUILDKIT:
            return contextlib.nullcontext("")
        return build_session(self._api, self._credentials_for, request.secret_values)

    @contextlib.contextmanager
    def _post(self, request: BuildRequest, session_id: str) -> Iterator[requests.Response]:
        # No time limit: a step may be silent for long.
        response = self._api._post(
            self._api._url("/build"),
            params=_query(request, session_id),
            data=self._until_cancelled(stream_context(request.context)),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,
        )
        self._api._raise_for_status(response)
        with response, self._cancellation.closes(response):
            yield response

    def _until_cancelled(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._cancellation.raise_if_cancelled()
            yield block

    def _follow(self, request: BuildRequest, response: requests.Response, show: ShowLine) -> str:
        progress = BuildProgress()
        try:
            for message in self._api._stream_helper(response, decode=True):
                for line in progress.feed(message):
                    show(line)
        except (AttributeError, ValueError, OSError, urllib3.exceptions.HTTPError) as error:
            # What reading raises once another thread has closed the connection.
            self._cancellation.raise_if_cancelled()
            raise requests.ConnectionError(error) from error
        self._cancellation.raise_if_cancelled()
        if progress.error or not progress.image_id:
            progress.error = progress.error or "the engine ended the build without an image"
            raise build_error(request.image_name, request.dockerfile_name, progress)
        return progress.image_id


def _query(request: BuildRequest, session_id: str) -> dict[str, Any]:
    query = {
        "version": request.builder,
        "t": [request.image_name, *request.extra_tags],
        "dockerfile": request.context.sent_dockerfile,
        "session": session_id or None,
        "rm": True,
        # The classic builder would leave the container of a failing step behind.
        "forcerm": True if request.builder == CLASSIC_BUILDER else None,
        **request.parameters,
    }
    return {key: _query_value(key, value) for key, value in query.items() if value is not None}


def _query_value(key: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    as_json = isinstance(value, Mapping) or key in ("cachefrom", "ulimits")
    return json.dumps(value) if as_json else value


def _explanation(error: Exception) -> str:
    return getattr(error, "explanation", None) or str(error)


__all__ = ["BUILDKIT", "CLASSIC_BUILDER", "BuildRequest", "Builder", "CancelledError"]
