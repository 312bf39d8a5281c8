"""A portal that gets SIGTERM: its readiness fails at once, and it serves on for a while."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

NEVER = {"LEAVE_SECONDS": "60"}


@pytest.fixture
def stopped() -> Iterator[list[int]]:
    """What the server, in whose place this test is, has been told."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    yield told
    signal.signal(signal.SIGTERM, before)


async def tell(application: FastAPI, stopped: list[int], *, times: int) -> int:
    """How often the server was told to stop after so many signals."""
    async with application.router.lifespan_context(application):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
        readiness = await application.state.services.health.check_ready()
        assert readiness.reasons == ["draining"]
        return len(stopped)


@pytest.mark.parametrize(
    ("config", "times", "expected"),
    [({}, 1, 1), ({}, 2, 2), (NEVER, 1, 0), (NEVER, 2, 1)],
    indirect=["config"],
)
def test_server_stops_when_told_or_after_its_time_or_when_told_again(
    application: FastAPI, stopped: list[int], times: int, expected: int
) -> None:
    assert asyncio.run(tell(application, stopped, times=times)) == expected
