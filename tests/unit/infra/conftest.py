"""Dynamic providers in this process, instead of in one of their own."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def whole_tracebacks() -> Iterator[None]:
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
