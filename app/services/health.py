"""Whether the portal and what it depends on can do their work."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.config import Config
from app.constants import DEPENDENCY_TIMEOUT_SECONDS
from app.exceptions import PortalError, UnavailableError
from app.models.health import DependencyHealth, Health, Readiness
from app.revisions import Revisions
from app.storage.database import Database
from app.storage.redis_store import RedisStore

_CONSEQUENCES = {"redis": " (logging in fails; what everybody may read is still served)"}
Probe = Callable[[], Awaitable[None]]


class HealthService:
    """Checks the dependencies side by side, each within a time limit.

    Parameters
    ----------
    revisions
        The revisions of the schema that the code knows.
    """

    def __init__(
        self, config: Config, database: Database, redis: RedisStore, revisions: Revisions
    ) -> None:
        self._version = config.app_version
        self._environment = config.app_env
        self._database = database
        self._probes: dict[str, Probe] = {"postgres": database.ping, "redis": redis.ping}
        self._revisions = revisions
        self._draining = False
        self._has_been_ready = False

    def start_draining(self) -> None:
        """Report from now on that the portal takes no new requests."""
        self._draining = True

    async def check(self) -> Health:
        """Every dependency by name, with its latency."""
        names = list(self._probes)
        results = await asyncio.gather(*(_probe(self._probes[name]) for name in names))
        dependencies = dict(zip(names, results, strict=True))
        healthy = all(result.status == "ok" for result in results)
        return Health(
            status="ok" if healthy else "unavailable",
            version=self._version,
            environment=self._environment,
            dependencies=dependencies,
        )

    async def check_ready(self) -> Readiness:
        """Ready when dependencies respond, the schema is current and the portal is not stopping."""
        reasons = ["draining"] if self._draining else []
        health, schema = await asyncio.gather(self.check(), _probe(self._check_schema))
        for name, dependency in health.dependencies.items():
            if dependency.status != "ok":
                reasons.append(f"{name}: {dependency.reason}{_CONSEQUENCES.get(name, '')}")
        if health.dependencies["postgres"].status == "ok" and schema.status != "ok":
            reasons.append(f"schema: {schema.reason}")
        self._has_been_ready |= not reasons
        return Readiness(ready=not reasons, reasons=reasons)

    async def check_started(self) -> Readiness:
        """Ready for good once everything was: a store that goes away later makes nobody sick."""
        if self._has_been_ready:
            return Readiness(ready=True, reasons=[])
        return await self.check_ready()

    async def _check_schema(self) -> None:
        found = await self._database.migration_heads()
        if not self._revisions.are_reached_by(found):
            expected = _name(self._revisions.heads)
            raise UnavailableError(f"should be at {expected} (is at {_name(found)})")


async def _probe(probe: Probe) -> DependencyHealth:
    started = time.perf_counter()
    reason = None
    try:
        async with asyncio.timeout(DEPENDENCY_TIMEOUT_SECONDS):
            await probe()
    except TimeoutError:
        reason = f"no answer within {DEPENDENCY_TIMEOUT_SECONDS} s"
    except PortalError as error:
        reason = error.detail
    except Exception as error:  # any error of a driver means that the dependency is away
        reason = type(error).__name__
    latency_ms = round((time.perf_counter() - started) * 1000, 1)
    status = "ok" if reason is None else "unavailable"
    return DependencyHealth(status=status, latency_ms=latency_ms, reason=reason)


def _name(revisions: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(revisions)) or "nothing"
