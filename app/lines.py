"""The one rule for the characters of titles and names, wherever they come from."""

import re

_UNFIT = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNFIT_CHARACTERS = re.compile(f"[{_UNFIT}]")

LINE = rf"^[^{_UNFIT}]*$"
"""Without control characters, those that turn the direction of the text after them, and those
without width: by them one name passes for another (Unicode TR 36)."""


def clean_line(text: str) -> str:
    """A title that comes with something else, without the characters that `LINE` refuses."""
    return _UNFIT_CHARACTERS.sub("", text)
