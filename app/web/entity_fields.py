"""An entity's content as fields of a form, and back."""

from typing import Any

from app.constants import MAX_SPEC_BYTES
from app.exceptions import InvalidRequestError
from app.models.entities import EntityOut
from app.web.forms import Form
from app.yaml_text import YamlError, dump_document, load_documents

_MAX_SPEC_CHARACTERS = 4 * MAX_SPEC_BYTES
"""YAML has room for blanks, and is parsed before its size as JSON is known."""


def write_fields(entity: EntityOut, etag: str) -> dict[str, str]:
    """The content as it stands in the form."""
    return {
        "etag": etag,
        "title": entity.title,
        "description": entity.description,
        "owner": entity.owner,
        "lifecycle": entity.lifecycle,
        "tags": ", ".join(entity.tags),
        "links": "\n".join(map(_line, entity.links)),
        "spec": dump_document(entity.spec) if entity.spec else "",
    }


def read_fields(form: Form) -> dict[str, Any]:
    """The content the form holds, for a model to check.

    Raises
    ------
    InvalidRequestError
        Raised for a specification that is no YAML mapping.
    """
    tags = [tag.strip() for tag in form.values["tags"].split(",")]
    return {
        "title": form.text("title"),
        "description": form.text("description"),
        "owner": form.text("owner"),
        "lifecycle": form.text("lifecycle"),
        "tags": [tag for tag in tags if tag],
        "links": [_link(line) for line in form.values["links"].splitlines() if line.strip()],
        "spec": _spec(form.values["spec"]),
    }


def _line(link: dict[str, str]) -> str:
    return f"{link['url']} {link.get('title', '')}".rstrip()


def _link(line: str) -> dict[str, str]:
    url, _, title = line.strip().partition(" ")
    return {"url": url, "title": title.strip()}


def _spec(text: str) -> Any:
    if not text.strip():
        return {}
    if len(text) > _MAX_SPEC_CHARACTERS:
        raise InvalidRequestError(
            f"specification: should be at most {MAX_SPEC_BYTES} bytes of JSON"
        )
    try:
        found = list(load_documents(text))
    except YamlError as error:
        raise InvalidRequestError(f"specification: {error}") from error
    if len(found) != 1 or not isinstance(found[0], dict):
        raise InvalidRequestError("specification: should be one YAML mapping of names to values")
    return found[0]
