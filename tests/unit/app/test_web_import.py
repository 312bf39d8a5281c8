"""The page of an import: what a second press of its buttons sends."""

import pytest

from app.web.entity_forms import _show_text
from app.web.forms import Form


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (b"", "kind: Old"),
        # Not the text of the file before, which nobody looked at just now.
        (b"kind: New", "kind: New"),
        (b"#" * 200_001, ""),
    ],
)
def test_page_shows_the_text_of_what_was_read(given: bytes, shown: str) -> None:
    form = Form({"yaml": "kind: Old"})
    _show_text(form, given)
    assert form.values["yaml"] == shown
