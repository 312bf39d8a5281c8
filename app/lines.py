"""Lines of text: the one rule for the characters of titles and names, and how others are shown."""

import re

_UNFIT = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNFIT_CHARACTERS = re.compile(f"[{_UNFIT}]")

LINE = rf"^[^{_UNFIT}]*$"
"""Without control characters, those that turn the direction of the text after them, and those
without width: by them one name passes for another (Unicode TR 36)."""


def shorten(text: str, most: int) -> str:
    """A text of at most so many characters, and a sign where more was cut off."""
    return text if len(text) <= most else f"{text[:most]}…"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 version`, `2,000 versions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def clean_line(text: str) -> str:
    """A title that comes with something else, without the characters that `LINE` refuses."""
    return _UNFIT_CHARACTERS.sub("", text)
