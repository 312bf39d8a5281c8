"""A connection to PostgreSQL that can be given up at once."""

import asyncio
from typing import Any

from psycopg import AsyncConnection
from psycopg.abc import RV, PQGen
from psycopg.waiting import wait_async

_INTERVAL_SECONDS = 0.1
"""How often a wait looks for interruptions, as in the driver."""


class AbandonableConnection(AsyncConnection[Any]):
    """Closes itself when a wait for the server is cancelled.

    The driver would ask the server to cancel the statement, for 5 s, and then wait for that for
    another 5 s: a request that was to fail within a second hangs that long on a server which is
    frozen. A server that lives ends an abandoned statement by its own `statement_timeout`.
    """

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = _INTERVAL_SECONDS,
        timeout: float | None = None,
    ) -> RV:
        """As the driver's, but gives the connection up when it is cancelled."""
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise
