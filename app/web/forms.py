"""Forms: their values and mistakes."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Self

from fastapi import Request
from pydantic import SecretStr, ValidationError
from starlette.datastructures import UploadFile as ReceivedFile

from app.exceptions import BusyError, PortalError, TooLargeError
from app.http.uploads import read_form

_SAID = {
    "string_pattern_mismatch": "Contains characters that are not allowed",
    "string_too_short": "This should not be empty",
    "too_short": "Choose at least one",
}
"""Messages for people, in place of pydantic's."""
_CORRIGIBLE = (401, 403, 404, 409, 412, 413, 422, 428, 429)


class Form:
    """Values to show again, a mistake for each field, and one of the whole."""

    def __init__(self, values: Mapping[str, str] | None = None, **chosen: list[str]) -> None:
        self.values: dict[str, str] = defaultdict(str, values or {})
        self.lists = chosen
        self.files: dict[str, ReceivedFile] = {}
        self.errors: dict[str, str] = defaultdict(str)
        self.problem = ""
        self.status = 200

    @classmethod
    async def read(cls, request: Request) -> Self:
        """The form that was sent; line ends as everywhere but in HTTP."""
        form = cls()
        for name, value in (await read_form(request)).multi_items():
            if isinstance(value, ReceivedFile):
                form.files[name] = value
                continue
            form.values[name] = value.replace("\r\n", "\n")
            form.lists.setdefault(name, []).append(value)
        return form

    def chosen(self, name: str) -> list[str]:
        """Values of the boxes that are checked."""
        return self.lists.get(name, [])

    def secret(self, name: str) -> SecretStr:
        """A password, with every blank that was typed."""
        return SecretStr(self.values[name])

    def file_name(self, name: str) -> str:
        """What the sender calls the file; empty without one."""
        return (name in self.files and self.files[name].filename) or ""

    def text(self, name: str) -> str:
        """One line, without the blanks around it."""
        return self.values[name].strip()

    def refused(self, error: PortalError | ValidationError) -> Self:
        """The form to be shown again, with the mistakes of its fields, or one of the whole form.

        Raises
        ------
        PortalError
            Raised when other input would not help; the error page explains it.
        """
        if isinstance(error, ValidationError):
            for item in error.errors():
                self.errors[_field_of(item)] = _sentence(_SAID.get(item["type"]) or item["msg"])
            self.status, self.problem = 422, "Please correct the marked fields."
        elif error.status in _CORRIGIBLE or isinstance(error, BusyError):
            self.tell(error)
        else:
            raise error
        return self

    def tell(self, error: PortalError) -> Self:
        """The form to be shown again, with what happened."""
        self.status, self.problem = error.status, _sentence(error.detail)
        return self


def _field_of(item: Any) -> str:
    return str(item["loc"][0]) if item["loc"] else ""


def _sentence(said: str) -> str:
    text = said.removeprefix("Value error, ")
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


async def read_file(form: Form, name: str, *, max_bytes: int) -> bytes:
    """What was uploaded; nothing if nothing was.

    Raises
    ------
    TooLargeError
        Raised for more than `max_bytes`.
    """
    file = form.files.get(name)
    content = await file.read(max_bytes + 1) if file is not None else b""
    if len(content) > max_bytes:
        raise TooLargeError(f"{name}: should have at most {max_bytes} bytes")
    return content
