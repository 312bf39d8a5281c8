"""Logs as JSON, one object a line, with the id of the request that each belongs to."""

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache

from app.request_context import request_id

_access = logging.getLogger("app.access")
_GATHER_SECONDS = 0.02
"""The delay of a line, too short for a reader to notice."""


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message and request id."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _format_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class AccessLog:
    """A line for each request.

    Lines are formatted by hand and written together: a write of its own for every request costs
    the Docker engine, which stores the log, as much time as the request costs Nginx.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, method: str, path: str, status: int, seconds: float, client: str) -> None:
        """Log a request that has just been answered; to be called in the event loop."""
        if not _access.isEnabledFor(logging.INFO):
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)
        self._lines.append(
            f'{{"time": "{_format_time(time.time())}", "level": "info", "logger": "app.access", '
            f'"message": {json.dumps(f"{method} {path}")}, "request_id": "{request_id.get()}", '
            f'"method": {json.dumps(method)}, "path": {json.dumps(path)}, "status": {status}, '
            f'"duration_ms": {seconds * 1000:.1f}, "client": "{client}"}}\n'
        )

    def flush(self) -> None:
        """Write the lines that wait."""
        lines, self._lines = self._lines, []
        sys.stdout.write("".join(lines))
        sys.stdout.flush()


def _format_time(seconds: float) -> str:
    whole, part = divmod(seconds, 1)
    return f"{_format_second(int(whole))}.{int(part * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _format_second(seconds: int) -> str:
    """Date and time without a zone; many lines share a second."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def configure_logs(level: str) -> None:
    """Write the lines of every logger, the server's included, to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # At debug level these log every statement and every file.
    for name in ("sqlalchemy", "watchfiles", "asyncio", "psycopg"):
        logging.getLogger(name).setLevel(logging.WARNING)
