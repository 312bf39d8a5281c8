"""What a user reads when something is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.errors import UserError


def refusal(action: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The message of the UserError that a call raises."""
    with pytest.raises(UserError) as error:
        action(*arguments, **options)
    return str(error.value)
