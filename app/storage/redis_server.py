"""Redis as the place of sessions and limits: what is asked there cannot be made up."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.exceptions import NoScriptError, RedisError, ResponseError

from app.config import Config
from app.constants import REDIS_PAUSE_SECONDS, SESSION_STORE_TIMEOUT_SECONDS
from app.exceptions import UnavailableError
from app.storage.shared_connection import Command, SharedConnection

_logger = logging.getLogger(__name__)


class RedisServer:
    """Answers from Redis, or an error. `errors` counts what failed since the start."""

    def __init__(self, config: Config) -> None:
        self._redis = SharedConnection(
            config.redis_url.get_secret_value(), timeout_seconds=SESSION_STORE_TIMEOUT_SECONDS
        )
        self._paused_until = 0.0
        self.errors = 0

    async def ask(self, command: Command) -> Any:
        """What Redis answers.

        Raises
        ------
        ResponseError
            Raised when Redis refuses it.
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        """
        [answer] = await self.ask_all(command)
        return answer

    async def ask_together(self, *commands: Command) -> list[Any]:
        """As `ask_all`, with all of them carried out or none."""
        return await self._try(self._redis.ask_together, commands)

    async def ask_all(self, *commands: Command) -> list[Any]:
        """What Redis answers to each, in one exchange; raises as `ask` does."""
        return await self._try(self._redis.ask, commands)

    async def close(self) -> None:
        await self._redis.close()

    async def _try(
        self, ask: Callable[..., Awaitable[list[Any]]], commands: Sequence[Command]
    ) -> list[Any]:
        if time.monotonic() < self._paused_until:
            raise UnavailableError("the session store does not answer")
        try:
            return await ask(*commands)
        except NoScriptError:
            # Whoever sent it knows what to do.
            raise
        except ResponseError:
            # It answers: the mistake is ours.
            self.errors += 1
            raise
        except RedisError as error:
            self.errors += 1
            self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
            _logger.warning("no sessions for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
            raise UnavailableError("the session store does not answer") from error
