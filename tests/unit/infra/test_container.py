"""Spellings that the provider compares as text."""

import pytest

from infra.resources.container_options import _duration


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(0, "0s"), (2, "2s"), (59, "59s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s")],
)
def test_duration_is_spelled_as_go_prints_it(seconds: int, spelled: str) -> None:
    assert _duration(seconds) == spelled
