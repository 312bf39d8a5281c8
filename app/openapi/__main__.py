"""`python -m app.openapi diff OLD NEW`: what changed from one OpenAPI document to another.

The exit code is 0 when clients of the old document can use the new one, 1 when a change may break
them, 2 when a document cannot be compared.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.lines import shorten
from app.openapi.check import read_checked
from app.openapi.diff import Report, diff_documents, report
from app.openapi.diff.texts import to_markdown, to_text
from app.openapi.reading import MAX_RECURSION, DocumentError

_FORMATS: dict[str, Callable[[Report], str]] = {
    "text": to_text,
    "markdown": to_markdown,
    "json": lambda found: json.dumps(asdict(found), indent=2, ensure_ascii=False),
}


def main(arguments: list[str]) -> int:
    """The exit code."""
    given = _parser().parse_args(arguments)
    sys.setrecursionlimit(MAX_RECURSION)
    if given.old == given.new == "-":
        return _refuse("only one of OLD and NEW can be standard input (got - twice)")
    try:
        found = report(diff_documents(_read(given.old), _read(given.new)))
    except (OSError, DocumentError) as error:
        return _refuse(str(error))
    except Exception as error:  # what no rule has found: Python's own exit code means another thing
        got = f"{type(error).__name__}: {shorten(str(error), 1000)}"
        return _refuse(f"{given.old}, {given.new}: should be OpenAPI throughout (got {got})")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the locale has no place for must not look like a breaking change.
        sys.stdout.reconfigure(errors="backslashreplace")
    print(_FORMATS[given.format](found))
    return 1 if found.breaking.changes else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.openapi")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    diff = commands.add_parser(
        "diff",
        help="compare two OpenAPI documents",
        description="Says what changed from one OpenAPI document to another, as its clients see it."
        " Exit code: 0 if they can use the new one, 1 if a change may break them, 2 if a document "
        "cannot be compared.",
    )
    diff.add_argument("old", metavar="OLD", help="a file in JSON or YAML, or - for standard input")
    diff.add_argument("new", metavar="NEW", help="the same, of the newer version")
    diff.add_argument("--format", choices=_FORMATS, default="text", help="default: text")
    return parser


def _read(name: str) -> dict[str, Any]:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        _, document = read_checked(content)
    except OSError as error:
        raise OSError(f"{name}: should be a file to read (got: {error.strerror})") from error
    except DocumentError as error:
        raise DocumentError([f"{name}: {mistake}" for mistake in error.mistakes]) from error
    return document


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
