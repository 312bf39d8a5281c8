#!/opt/venv/bin/python -IS
"""Ends with 0 if the portal in this container is healthy, and so are its dependencies.

It runs every few seconds for as long as the container does, so it uses a bare socket and
loads nothing else: an HTTP library takes longer to load than the response to arrive.
"""

import socket
import sys

_ADDRESS = ("127.0.0.1", 8000)
_TIMEOUT_SECONDS = 4
_REQUEST = b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


def main() -> int:
    """Request /health; the response goes to the container's health log."""
    try:
        answer = _ask()
    except OSError as error:
        print(f"http://127.0.0.1:8000/health: should answer (got: {error}).")
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
