"""What titles and names may consist of."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.models.api_keys import KeyName
from app.models.sessions import PersonName
from app.models.teams import Title as TeamTitle
from app.models.texts import Line, Title

TYPES = (Line, Title, TeamTitle, PersonName, KeyName)
# A line break, NUL, a C1 control, an override, an isolate, marks of either direction, a separator.
# A space without width, a joiner of words.
TURNING = ["\u200b", "\u2060", "\n", "\0", "\x85", "\u202e", "\u2066", "\u200f", "\u061c", "\u2028"]


@pytest.mark.parametrize("type_", TYPES, ids=range(len(TYPES)))
def test_titles_and_names_have_no_control_and_no_turning_characters(type_: Any) -> None:
    adapter = TypeAdapter[str](type_)
    # Persian and families of emoji need characters that join and part others.
    for good in (
        "Checkout",
        "Größe 測試",
        "דוח שנתי",
        "\u0645\u06cc\u200c\u062e\u0648",
        "👩\u200d👧",
    ):
        assert adapter.validate_python(good) == good
    for character in TURNING:
        with pytest.raises(ValidationError):
            adapter.validate_python(f"pay{character}ments")
