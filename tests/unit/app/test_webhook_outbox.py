"""When a message is sent again, and when it is given up."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.config import Config
from app.exceptions import BusyError
from app.services.outgoing import Outgoing, OutgoingError
from app.services.webhooks import Webhooks
from app.storage import webhooks as storage
from app.storage.webhooks import Delivery
from tests.unit.app.conftest import Recorded


def delivery(attempts: int) -> Delivery:
    place = ("https://ci.example.com/hook", "api", "default", "orders", "payments", "1", "2")
    made = datetime(2026, 11, 25, tzinfo=UTC)
    return Delivery(uuid.UUID(int=1), uuid.UUID(int=2), *place, None, None, "{}", attempts, made)


def values_of(database: Recorded, column: str) -> list[Any]:
    """What statements set the column to."""
    return [values[column] for _, values in database.statements if column in values]


def send(
    config: Config, monkeypatch: pytest.MonkeyPatch, attempts: int, error: Exception
) -> Recorded:
    """An attempt that ends so."""

    due = [delivery(attempts)]

    async def claim(_connection: object) -> Delivery | None:
        return due.pop() if due else None

    async def post(*_: object) -> None:
        raise error

    monkeypatch.setattr(storage, "claim", claim)
    database: Any = Recorded()
    monkeypatch.setattr(Outgoing, "post", post)
    webhooks = Webhooks(config, database, database)
    webhooks.is_enabled = True
    asyncio.run(webhooks.send_due())
    return database


def test_attempts_are_those_that_the_receiver_has_failed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = send(config, monkeypatch, 0, OutgoingError("no answer within 10 s"))
    assert values_of(refused, "attempts") == [1]
    assert values_of(refused, "now_1") == [timedelta(seconds=10)]
    busy = send(config, monkeypatch, 0, BusyError("the portal is busy"))
    assert busy.statements == []


def test_message_is_given_up_after_seven_more_attempts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OutgoingError("no answer within 10 s")
    assert values_of(send(config, monkeypatch, 6, error), "attempts") == [7]
    [_, gone] = send(config, monkeypatch, 7, error).statements
    assert gone[0].startswith("DELETE FROM webhook_delivery")


def test_neither_a_claim_nor_what_was_before_an_attempt_by_hand_counts() -> None:
    database: Any = Recorded()
    asyncio.run(storage.claim(database))
    assert values_of(database, "attempts") == []
    asyncio.run(storage.hasten(database, uuid.UUID(int=2)))
    assert values_of(database, "attempts") == [0]
