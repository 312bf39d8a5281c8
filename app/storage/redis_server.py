"""Redis as the place of sessions and limits: what is asked there cannot be made up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError

from app.config import Config
from app.constants import (
    REDIS_CONNECTIONS,
    REDIS_PAUSE_SECONDS,
    SESSION_STORE_TIMEOUT_SECONDS,
)
from app.exceptions import UnavailableError
from app.storage.gathering import Command, Gathering, run_commands

_logger = logging.getLogger(__name__)


class RedisServer:
    """Connections to Redis. `errors` counts what failed since the start."""

    def __init__(self, config: Config) -> None:
        self._redis = Redis.from_url(
            config.redis_url.get_secret_value(),
            socket_timeout=SESSION_STORE_TIMEOUT_SECONDS,
            socket_connect_timeout=SESSION_STORE_TIMEOUT_SECONDS,
            # A connection of before the server's restart fails once; one that hangs did its time.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            decode_responses=True,
        )
        self._groups: Gathering[tuple[Command, ...], list[Any]] = Gathering(self._send)
        # Requests wait for their turn: a burst is no failure of the server's.
        self._turns = asyncio.Semaphore(REDIS_CONNECTIONS)
        self._paused_until = 0.0
        self.errors = 0

    async def ask(self, command: Callable[[Redis], Awaitable[Any]]) -> Any:
        """What `command` gets from Redis.

        Raises
        ------
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        """
        try:
            async with self._turns:
                # Whoever waited while it failed does not find out anew.
                if time.monotonic() < self._paused_until:
                    raise UnavailableError("the session store does not answer")
                return await command(self._redis)
        except ResponseError:
            # It answers: the mistake is ours.
            self.errors += 1
            raise
        except (RedisError, OSError, TimeoutError) as error:
            self.errors += 1
            self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
            _logger.warning("no sessions for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
            raise UnavailableError("the session store does not answer") from error

    async def send(self, *commands: Command) -> list[Any]:
        """What Redis answers to each, asked at one go with what others ask at the time.

        Raises
        ------
        ResponseError
            Raised when Redis refuses one of them.
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        """
        return await self._groups.get(commands)

    async def _send(self, groups: Sequence[tuple[Command, ...]]) -> list[list[Any] | Exception]:
        commands = [command for group in groups for command in group]
        answers = iter(await self.ask(lambda redis: run_commands(redis, commands)))
        found = [list(islice(answers, len(group))) for group in groups]
        return [_first_error(of_group) or of_group for of_group in found]

    async def close(self) -> None:
        await self._redis.aclose()


def _first_error(answers: list[Any]) -> Exception | None:
    return next((answer for answer in answers if isinstance(answer, Exception)), None)
