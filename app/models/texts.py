"""Texts that come from outside."""


def check_printable(text: str) -> str:
    """Refuse control characters, NUL among them, which PostgreSQL has not, and line breaks."""
    if not text.isprintable():
        raise ValueError("should be printable text on one line")
    return text


def check_storable(text: str) -> str:
    """Refuse what PostgreSQL cannot store: NUL, and half a surrogate pair."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("should be text without NUL")
    return text
