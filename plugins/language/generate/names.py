"""Names in Python of what a Pulumi package calls otherwise."""

import keyword
import re


def snake_case(name: str) -> str:
    """Return a property's or variable's name in Python: `networkMode` is `network_mode`."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()
    words = re.sub(r"\W", "_", words)
    if not words or words[0].isdigit():
        words = f"_{words}"
    return f"{words}_" if keyword.iskeyword(words) else words
