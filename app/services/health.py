"""Whether the portal and what it depends on can do their work."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from app import __version__
from app.config import Config
from app.constants import DEPENDENCY_TIMEOUT_SECONDS
from app.exceptions import PortalError
from app.models.health import DependencyHealth, Health, Readiness
from app.storage.cache import Cache
from app.storage.database import Database

Probe = Callable[[], Awaitable[None]]


class HealthService:
    """Asks the dependencies, each within a bound, side by side.

    Parameters
    ----------
    heads
        Revisions the code expects the schema to be at.
    """

    def __init__(
        self, config: Config, database: Database, cache: Cache, heads: frozenset[str]
    ) -> None:
        self._environment = config.app_env
        self._database = database
        self._probes: dict[str, Probe] = {"postgres": database.ping, "redis": cache.ping}
        self._heads = heads
        self.draining = False

    async def check(self) -> Health:
        """Every dependency by name, with its latency."""
        names = list(self._probes)
        results = await asyncio.gather(*(_probe(self._probes[name]) for name in names))
        dependencies = dict(zip(names, results, strict=True))
        healthy = all(result.status == "ok" for result in results)
        return Health(
            status="ok" if healthy else "unavailable",
            version=__version__,
            environment=self._environment,
            dependencies=dependencies,
        )

    async def check_ready(self) -> Readiness:
        """Ready when every dependency answers, the schema is current and nothing drains."""
        reasons = ["draining"] if self.draining else []
        health = await self.check()
        for name, dependency in health.dependencies.items():
            if dependency.status != "ok":
                reasons.append(f"{name}: {dependency.reason}")
        if health.dependencies["postgres"].status == "ok":
            found = await self._database.migration_heads()
            if found != self._heads:
                reasons.append(f"schema: should be at {_name(self._heads)} (is at {_name(found)})")
        return Readiness(ready=not reasons, reasons=reasons)


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
    except Exception as error:  # whatever a driver raises means that it is away
        reason = type(error).__name__
    latency_ms = round((time.perf_counter() - started) * 1000, 1)
    status = "ok" if reason is None else "unavailable"
    return DependencyHealth(status=status, latency_ms=latency_ms, reason=reason)


def _name(revisions: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(revisions)) or "nothing"
