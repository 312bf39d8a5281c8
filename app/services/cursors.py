"""Cursors, opaque to clients and valid only for the list that they are from."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from app.exceptions import NotFoundError

_MAC_BYTES = 16


class Cursors:
    """Signs positions in lists, so that they cannot be forged."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"cursors:" + secret.encode()).digest()

    def encode(self, listing: str, position: list[Any]) -> str:
        """A cursor to `position` in what `listing` describes: the list and its conditions."""
        body = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(listing, body) + body).decode().rstrip("=")

    def decode(self, listing: str, cursor: str) -> list[Any]:
        """The position that a cursor of the same listing stands for.

        Raises
        ------
        NotFoundError
            Raised for a cursor that is not from a page of this list.
        """
        unknown = NotFoundError("there is no page with this cursor; start again without one")
        try:
            given = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError) as error:
            raise unknown from error
        mac, body = given[:_MAC_BYTES], given[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._sign(listing, body)):
            raise unknown
        position: list[Any] = json.loads(body)
        return position

    def _sign(self, listing: str, body: bytes) -> bytes:
        message = listing.encode() + b"\x00" + body
        return hmac.digest(self._key, message, "sha256")[:_MAC_BYTES]
