"""An uploaded text as a document."""

import json
from typing import Any

from app.json_values import json_mistake
from app.yaml_text import YamlError, load_documents

MAX_MISTAKES = 20
"""Of a document, that are named."""
MAX_RECURSION = 10_000
"""A document's schemas may refer to each other through many; the default ends after some 300."""
_MAX_DEPTH = 100


class DocumentError(Exception):
    """A document that is not taken, with every mistake that was found."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def read_document(content: bytes) -> dict[str, Any]:
    """The document in JSON or YAML.

    Raises
    ------
    DocumentError
        Raised for what is neither, or is no object.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(["the document should be text in UTF-8"]) from error
    document = _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)
    if not isinstance(document, dict):
        raise DocumentError(["the document should be an object"])
    if mistake := json_mistake(document, max_depth=_MAX_DEPTH):
        raise DocumentError([f"the document {mistake}"])
    return document


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:
            return _read_yaml(text)
        except DocumentError:
            place = f"line {error.lineno}, column {error.colno}"
            raise DocumentError([f"{place}: should be JSON (got: {error.msg})"]) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError([f"the document should be plain JSON (got: {error})"]) from error


def _read_yaml(text: str) -> Any:
    try:
        documents = list(load_documents(text))
    except YamlError as error:
        raise DocumentError([str(error)]) from error
    if len(documents) != 1:
        raise DocumentError([f"should be one document (got {len(documents)})"])
    return documents[0]
