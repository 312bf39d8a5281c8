"""Logs as one JSON object a line, each with the request it belongs to."""

import asyncio
import json
import logging
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

request_id: ContextVar[str] = ContextVar("request_id", default="")
client_address: ContextVar[str] = ContextVar("client_address", default="")
_access = logging.getLogger("app.access")
_GATHER_SECONDS = 0.02
"""So late a line may be: too little to be noticed by who reads it."""


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
    """A line for each answered request.

    There is one for every request, so they are put together by hand and leave together: each write
    costs the engine as much as a request does Nginx.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, method: str, path: str, status: int, seconds: float, client: str) -> None:
        """Tell of a request that was answered just now, from inside the event loop."""
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
        """Write what has gathered."""
        lines, self._lines = self._lines, []
        sys.stdout.write("".join(lines))
        sys.stdout.flush()


def _format_time(seconds: float) -> str:
    whole, part = divmod(seconds, 1)
    return f"{_format_second(int(whole))}.{int(part * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _format_second(seconds: int) -> str:
    """Date and time without a zone: many lines are of one second."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def configure_logs(level: str) -> None:
    """Send every logger's lines, the server's included, to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # These tell of every statement and every file at debug level.
    for name in ("sqlalchemy", "watchfiles", "asyncio", "psycopg"):
        logging.getLogger(name).setLevel(logging.WARNING)
