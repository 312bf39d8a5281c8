"""What the set-up reports when it refuses something."""

from collections.abc import Callable
from typing import Any

import pytest

from toolchain.setup.errors import SetupError


def refusal(action: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The message of the SetupError that a call raises."""
    with pytest.raises(SetupError) as error:
        action(*arguments, **options)
    return str(error.value)
