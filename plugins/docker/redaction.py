"""Takes secrets out of messages."""

import base64
import binascii
from collections.abc import Iterable, Iterator

REDACTED = "[secret]"
# Anything shorter is in every other word; it would hide the message and protect nothing.
_SHORTEST = 3


class Redaction:
    """Replaces every secret text, and its usual disguises, by `[secret]`.

    Parameters
    ----------
    secrets
        Secret values of one resource. For `KEY=value` the value counts too, for a text of many
        lines each line, and for base64 what it encodes.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
        # Longest first, or a secret that contains another would be left in part.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield secret.strip()
    yield secret.partition("=")[2]
    yield from (line.strip() for line in secret.splitlines())
    yield base64.b64encode(secret.encode()).decode()
    try:
        yield base64.b64decode(secret, validate=True).decode()
    except (binascii.Error, ValueError):
        return
