"""The kinds of API documents, and how a text in one of them is known."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from app.json_values import json_mistake
from app.openapi.reading import DocumentError
from app.openapi.summary import join_parts, words
from app.outline import Outline

ApiKind = Literal["openapi", "asyncapi", "graphql", "grpc"]
"""As Backstage calls them."""

KIND_NAMES: dict[ApiKind, str] = {
    "openapi": "OpenAPI",
    "asyncapi": "AsyncAPI",
    "graphql": "GraphQL",
    "grpc": "Protocol Buffers",
}
MAX_DEPTH = 100
_SPACE = re.compile(r"(?:\s+|#[^\n]*|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z))*")
_GRPC = re.compile(
    r"(?:syntax|edition)\s*=|package\s+[\w.]+\s*;|(?:import|option)\s[^;:\n]*;"
    r"|(?:message|service)\s+\w+\s*\{|extend\s+[\w.]+\s*\{|enum\s+\w+\s*\{[^}=]*="
)
_GRAPHQL = re.compile(
    r'(?:"""[\s\S]*?"""\s*|"[^"\n]*"\s*)?'
    r"(?:extend\s+)?(?:(?:type|interface|input|enum|union|scalar|query|mutation|subscription"
    r"|fragment)\s+\w+\s*[^\s\w:]|type\s+\w+\s+implements\b|(?:type|scalar|enum)\s+\w+\s*$"
    r"|(?:query|mutation|subscription)\s*[{(@]|scalar\s+\w+\s|fragment\s+\w+\s+on\b|schema\s*[@{]|directive\s*@)",
    re.MULTILINE,
)
_QUOTED = r'|"(?:\\.|[^"\\\n])*"'
_NESTING = {
    "graphql": re.compile(rf'#[^\n]*|"""(?:\\"""|[\s\S])*?(?:"""|\Z){_QUOTED}|[][(){{}}\n]'),
    "grpc": re.compile(
        rf"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z){_QUOTED}|'(?:\\.|[^'\\\n])*'|[][(){{}}<>\n]"
    ),
}


class Checked(NamedTuple):
    """A document that was checked.

    Parameters
    ----------
    document
        What is read, compared and shown: JSON, or the text as it was given.
    original
        JSON of what was given, if it had to be converted.
    language
        The version of the language that it is written in; empty if there are none.
    version
        The API's own version, if the document names one.
    """

    kind: ApiKind
    document: str
    original: str | None
    language: str
    title: str
    version: str
    summary: str


def recognise(text: str) -> ApiKind | None:
    """The kind of a text that is neither JSON nor YAML, by how it begins."""
    start = _SPACE.match(text)
    place = start.end() if start else 0
    if _GRPC.match(text, place):
        return "grpc"
    return "graphql" if _GRAPHQL.match(text, place) else None


def read_text(content: bytes, kind: ApiKind) -> str:
    """A text that can be stored, and is not nested deeper than it may.

    Raises
    ------
    DocumentError
        Raised for other texts.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(["the document should be text in UTF-8"]) from error
    if mistake := json_mistake(text, max_depth=0):
        raise DocumentError([f"the document {mistake}"])
    _check_depth(text, _NESTING[kind])
    return text


def _check_depth(text: str, pattern: re.Pattern[str]) -> None:
    depth, number = 0, 1
    for found in pattern.finditer(text):
        token = found[0]
        number += token.count("\n")
        depth += (token in "([{<") - (token in ")]}>") if len(token) == 1 else 0
        if depth > MAX_DEPTH:
            raise DocumentError([f"line {number}: should be nested at most {MAX_DEPTH} deep"])


def summary_of(outline: Outline, texts: Iterable[str]) -> str:
    """What a search looks through: the parts' names as words, then the descriptions."""
    return join_parts(
        [
            outline.title,
            *(
                f"{one.tag} {one.method} {one.path} {words(one.path)} {one.summary}"
                for one in outline.operations
            ),
            " ".join(f"{name} {words(name)}" for name in outline.schemas),
            *(text[:500] for text in texts if text),
        ]
    )
