"""An entity's content as fields of a form, and back."""

from collections.abc import Mapping
from typing import Any

from app.constants import MAX_SPEC_BYTES
from app.exceptions import InvalidRequestError
from app.models.entities import EntityOut
from app.web.forms import Form
from app.yaml_text import YamlError, dump_document, load_documents

_MAX_SPEC_CHARACTERS = 4 * MAX_SPEC_BYTES
"""YAML has room for blanks, and is parsed before its size as JSON is known."""

_MAPPINGS = {"annotations": "annotations", "labels": "labels", "spec": "specification"}
"""The fields that are written as YAML, and what they are called."""


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
        **{name: _write_mapping(getattr(entity, name)) for name in _MAPPINGS},
    }


def read_fields(form: Form, before: EntityOut | None = None) -> dict[str, Any]:
    """The content the form holds, for a model to check.

    Parameters
    ----------
    before
        The entity as it is: its links keep their icon and type, for which there is no field.

    Raises
    ------
    InvalidRequestError
        Raised for a specification, annotations or labels that are no YAML mapping.
    """
    known = {link["url"]: link for link in before.links} if before else {}
    tags = [tag.strip() for tag in form.values["tags"].split(",")]
    return {
        "title": form.text("title"),
        "description": form.text("description"),
        "owner": form.text("owner"),
        "lifecycle": form.text("lifecycle"),
        "tags": [tag for tag in tags if tag],
        "links": [_link(line, known) for line in form.values["links"].splitlines() if line.strip()],
        **{name: _read_mapping(what, form.values[name]) for name, what in _MAPPINGS.items()},
    }


def _line(link: dict[str, str]) -> str:
    return f"{link['url']} {link.get('title', '')}".rstrip()


def _link(line: str, known: Mapping[str, dict[str, str]]) -> dict[str, str]:
    url, _, title = line.strip().partition(" ")
    return {**known.get(url, {}), "url": url, "title": title.strip()}


def _write_mapping(value: dict[str, Any]) -> str:
    return dump_document(value) if value else ""


def _read_mapping(what: str, text: str) -> Any:
    if not text.strip():
        return {}
    if len(text) > _MAX_SPEC_CHARACTERS:
        raise InvalidRequestError(f"{what}: should be at most {MAX_SPEC_BYTES} bytes of JSON")
    try:
        found = list(load_documents(text))
    except YamlError as error:
        raise InvalidRequestError(f"{what}: {error}") from error
    if len(found) != 1 or not isinstance(found[0], dict):
        raise InvalidRequestError(f"{what}: should be one YAML mapping of names to values")
    return found[0]
