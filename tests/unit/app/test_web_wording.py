"""Times and names as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.lines import counted
from app.web.wording import ago, browser_name, exactly

_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400 * 90, "90 days ago"),
        (86400 * 120, "4 months ago"),
        (86400 * 800, "2 years ago"),
        (-30, "in a moment"),
        (-86400 * 2, "in 2 days"),
    ],
)
def test_times_are_told_from_now(seconds: int, text: str) -> None:
    assert ago(_NOW - timedelta(seconds=seconds), _NOW) == text


def test_the_exact_time_is_in_utc() -> None:
    assert exactly(_NOW) == "2026-11-25 12:00:00 UTC"


def test_one_and_many_are_told_apart() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(0, "entry", "entries") == "0 entries"
    assert counted(2, "version") == "2 versions"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) Gecko Firefox/128.0",
            "Firefox on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("curl/8.9.1", "curl/8.9.1"),
        ("", "Unknown"),
    ],
)
def test_browsers_are_named(agent: str, name: str) -> None:
    assert browser_name(agent) == name
