#!/opt/venv/bin/python
"""Ends with 0 if the portal in this container says that it and all it depends on is well."""

import http.client
import sys

_PORT = 8000
_TIMEOUT_SECONDS = 4


def main() -> int:
    """Ask /health; what it answers goes to the container's health log."""
    connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        print(response.read(4096).decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        print(f"http://127.0.0.1:{_PORT}/health: should answer (got: {error}).")
        return 1
    return 0 if response.status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
