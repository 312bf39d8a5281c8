#!/opt/venv/bin/python -IS
"""Ends with 0 if the portal in this container runs and has once been ready.

A store that is slow or away is no reason to restart portals or to take them out of use: they go
on with what needs no store, and tell of it at /health.

It runs every few seconds for as long as the container does, so it uses a bare socket and
loads nothing else: an HTTP library takes longer to load than the response to arrive.
"""

import socket
import sys

_ADDRESS = ("127.0.0.1", 8000)
_TIMEOUT_SECONDS = 4
_REQUEST = b"GET /startupz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


def main() -> int:
    """Request /startupz; the response goes to the container's health log."""
    try:
        answer = _ask()
    except OSError as error:
        print(f"http://127.0.0.1:8000/startupz: should answer (got: {error}).")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    print(body[:4096].decode(errors="replace"))
    return 0 if head.split(b" ")[1:2] == [b"200"] else 1


def _ask() -> bytes:
    parts: list[bytes] = []
    with socket.create_connection(_ADDRESS, _TIMEOUT_SECONDS) as connection:
        connection.sendall(_REQUEST)
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


if __name__ == "__main__":
    sys.exit(main())
