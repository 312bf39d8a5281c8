"""Pulls and pushes images through the engine, showing what it reports."""

from collections.abc import Callable, Iterator
from typing import Any

import docker.auth
import requests
import urllib3
from docker.errors import APIError, ImageNotFound

from plugins.docker.build.cancellation import Cancellation
from plugins.docker.build.progress import BuildProgress
from plugins.docker.image_names import split_tag
from plugins.docker.registry_auth import Credentials

ShowLine = Callable[[str], None]
_NO_CREDENTIALS: dict[str, str] = {}


class TransferError(Exception):
    """A pull or a push failed; the message is the engine's or the registry's reason."""


class ImageTransfer:
    """Moves images between one engine and registries.

    Parameters
    ----------
    client
        The Docker SDK's client.
    cancellation
        Ends running transfers when the user presses Ctrl-C.
    """

    def __init__(self, client: Any, cancellation: Cancellation | None = None) -> None:
        self._client = client
        self._api = client.api
        self._cancellation = cancellation or Cancellation()

    def local_image(self, name: str) -> dict[str, Any] | None:
        """What the engine knows about an image, or None where it has no such image."""
        try:
            return self._api.inspect_image(name)
        except ImageNotFound:
            return None

    def pull(
        self, name: str, platform: str, credentials: Credentials | None, show: ShowLine
    ) -> None:
        """Pull an image by tag or digest.

        Raises
        ------
        TransferError
            Raised with the reason when the registry does not give it.
        """
        repository, tag = split_tag(name)
        query = {"fromImage": repository, "tag": tag, "platform": platform or None}
        for _ in self._run("/images/create", query, credentials, show):
            continue

    def push(self, name: str, credentials: Credentials | None, show: ShowLine) -> str:
        """Push an image and return its digest in the registry, `sha256:...`, if it tells.

        Raises
        ------
        TransferError
            Raised with the reason when the registry does not take it.
        """
        repository, tag = split_tag(name)
        digest = ""
        path = f"/images/{repository}/push"
        for message in self._run(path, {"tag": tag}, credentials, show):
            digest = (message.get("aux") or {}).get("Digest", digest)
        return digest

    def _run(
        self, path: str, query: dict[str, Any], credentials: Credentials | None, show: ShowLine
    ) -> Iterator[dict[str, Any]]:
        header = credentials.as_header() if credentials else _NO_CREDENTIALS
        try:
            response = self._api._post(
                self._api._url(path),
                params={key: value for key, value in query.items() if value is not None},
                headers={"X-Registry-Auth": docker.auth.encode_header(header)},
                stream=True,
                timeout=None,
            )
            self._api._raise_for_status(response)
            with response, self._cancellation.closes(response):
                yield from self._messages(response, show)
        except (APIError, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            self._cancellation.raise_if_cancelled()
            raise TransferError(getattr(error, "explanation", None) or str(error)) from error

    def _messages(self, response: requests.Response, show: ShowLine) -> Iterator[dict[str, Any]]:
        progress = BuildProgress()
        for message in self._api._stream_helper(response, decode=True):
            for line in progress.feed(message):
                show(line)
            yield message
        self._cancellation.raise_if_cancelled()
        if progress.error:
            raise TransferError(progress.error)
