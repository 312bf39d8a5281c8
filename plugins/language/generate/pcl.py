"""The part of PCL, Pulumi's configuration language, that `pulumi import` writes.

PCL is HCL2 (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md). An import consists of
blocks and attributes whose values are literals, lists, objects, references and calls.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from plugins.language.errors import LanguageError


@dataclass(frozen=True)
class List:
    """`[a, b]`"""

    items: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Key:
    """A key of an object: quoted ones are data, the others name a property of the type."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Object:
    """`{ key = value }`"""

    items: "tuple[tuple[Key, Expression], ...]"


@dataclass(frozen=True)
class Reference:
    """`name.property`"""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """`function(argument)`"""

    function: str
    arguments: "tuple[Expression, ...]"


Expression = str | float | int | bool | None | List | Object | Reference | Call


@dataclass
class Block:
    """`kind label "label" { name = value }`"""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, Expression] = field(default_factory=dict)
    blocks: "list[Block]" = field(default_factory=list)


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\n]*|//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][\w-]*)
      | (?P<mark>[{}\[\]().,=:])""",
    re.VERBOSE,
)

_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


_END = _Token("end", "")


def parse(source: str) -> list[Block]:
    """Parse a file of blocks.

    Raises
    ------
    LanguageError
        If the text has a form that imports do not have.
    """
    parser = _Parser(_tokens(source))
    blocks = []
    while parser.next_token is not _END:
        blocks.append(parser.block(parser.take("name")))
    return blocks


def _tokens(source: str) -> Iterator[_Token]:
    place = 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None or match.lastgroup is None:
            raise _unknown(source[place:].splitlines()[0])
        if match.lastgroup != "space":
            yield _Token(match.lastgroup, match.group())
        place = match.end()


def _unknown(text: str) -> LanguageError:
    return LanguageError(
        f"the imported resources: should consist of literals and references (got {text!r}). "
        "Run `pulumi import --generate-code=false` and write their code by hand."
    )


class _Parser:
    def __init__(self, tokens: Iterator[_Token]) -> None:
        self._tokens = tokens
        self.next_token = next(tokens, _END)

    def take(self, kind: str) -> str:
        """Take the next token, which must be of a kind."""
        token = self.next_token
        if token.kind != kind:
            raise _unknown(token.text)
        self.next_token = next(self._tokens, _END)
        return token.text

    def takes(self, mark: str) -> bool:
        """Take a mark if it is the next token."""
        if self.next_token != _Token("mark", mark):
            return False
        self.take("mark")
        return True

    def block(self, kind: str) -> Block:
        labels = []
        while not self.takes("{"):
            labels.append(self._label())
        block = Block(kind, tuple(labels))
        while not self.takes("}"):
            name = self.take("name")
            if self.takes("="):
                block.attributes[name] = self._expression()
            else:
                block.blocks.append(self.block(name))
        return block

    def _label(self) -> str:
        if self.next_token.kind == "string":
            return _unquote(self.take("string"))
        return self.take("name")

    def _expression(self) -> Expression:
        token = self.next_token
        if token.kind == "string":
            return _unquote(self.take("string"))
        if token.kind == "number":
            text = self.take("number")
            return int(text) if text.lstrip("-").isdigit() else float(text)
        if token.kind == "name":
            return self._named()
        if self.takes("["):
            return List(tuple(self._until("]")))
        if self.takes("{"):
            return Object(tuple(self._items()))
        raise _unknown(token.text)

    def _named(self) -> Expression:
        name = self.take("name")
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if self.takes("("):
            return Call(name, tuple(self._until(")")))
        path = [name]
        while self.takes("."):
            path.append(self.take("name"))
        return Reference(tuple(path))

    def _until(self, mark: str) -> Iterator[Expression]:
        while not self.takes(mark):
            yield self._expression()
            self.takes(",")

    def _items(self) -> Iterator[tuple[Key, Expression]]:
        while not self.takes("}"):
            quoted = self.next_token.kind == "string"
            key = Key(self._label(), quoted)
            if not self.takes("="):
                self.take("mark")
            yield key, self._expression()
            self.takes(",")


def _unquote(text: str) -> str:
    body = text[1:-1]
    if re.search(r"(?<!\$)\$\{|(?<!%)%\{", body):
        raise _unknown(text)
    body = re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", _unescape, body)
    return body.replace("$${", "${").replace("%%{", "%{")


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)
