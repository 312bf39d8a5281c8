"""`python -m app.definitions.worker WHAT KIND MEMORY_BYTES CPU_SECONDS`: work on a stranger's
document, of that kind, or of any, or on a page of documentation.

It runs in a process of its own, which has a bound on its memory and its processor time, is the
first that the kernel ends when memory is short, and can neither open a connection nor write a file.
It reads from standard input, and writes one line of JSON, which the result's bytes follow.
"""

import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast, get_args

from app.constants import MAX_PAGE_HTML_CHARACTERS
from app.definitions.kinds import KIND_NAMES, ApiKind, Checked, recognise
from app.lines import clean_line, shorten
from app.openapi.reading import MAX_RECURSION, DocumentError, read_document

Answer = tuple[dict[str, Any], bytes]
_REFUSED = ("socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.exec")
_MAX_SHOWN = 1000
"""Characters of an error's text."""
_MAX_CHANGES = 1000
"""Of either side. A person reads them, and two unrelated documents differ in everything."""


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    # When all of the container's memory is used up, this process goes and not the portal.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    sys.setrecursionlimit(MAX_RECURSION)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and str(arguments[1] or "r")[0] in "wax+"
    if writes or event in _REFUSED:
        raise PermissionError(f"{event} is not for this process")


def _check(content: bytes, kind: ApiKind | None) -> Answer:
    found = _read(content, kind)
    head = found._asdict() | {
        "sha256": hashlib.sha256(f"{found.document}{found.original or ''}".encode()).hexdigest(),
        "size_bytes": len((found.original or found.document).encode()),
    }
    del head["document"]
    return head, found.document.encode()


def _read(content: bytes, kind: ApiKind | None) -> Checked:
    """The document after its check, as one of the kind or as what it looks like."""
    kind = kind or recognise(content.decode("utf-8-sig", "replace"))
    if kind in ("graphql", "grpc"):
        return _reader(kind).check(content)
    document = read_document(content)
    if kind == "asyncapi" or (kind is None and "asyncapi" in document):
        return _reader("asyncapi").check(document)
    return _check_openapi(document, len(content))


def _check_openapi(given: dict[str, Any], size_bytes: int) -> Checked:
    from app.openapi.check import as_openapi
    from app.openapi.summary import summarise

    document = as_openapi(given, size_bytes=size_bytes)
    is_converted = given is not document
    return Checked(
        kind="openapi",
        document=_compact(document),
        original=_compact(given) if is_converted else None,
        language="2.0" if is_converted else document["openapi"],
        title=clean_line(document["info"]["title"])[:500],
        version=str(document["info"]["version"]),
        summary=summarise(document),
    )


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _reader(kind: ApiKind | None) -> Any:
    """The module of a kind: each loads what the others do without."""
    return importlib.import_module(f"app.definitions.{kind}")


def _diff(content: bytes, _kind: ApiKind | None) -> Answer:
    from app.openapi.diff import diff_documents, report

    found = report(diff_documents(*json.loads(content)), most=_MAX_CHANGES)
    return {}, json.dumps(asdict(found)).encode()


def _outline(content: bytes, kind: ApiKind | None) -> Answer:
    pages, document = _pages_of(kind, content)
    return {}, json.dumps(asdict(pages.outline(document))).encode()


def _part(content: bytes, kind: ApiKind | None) -> Answer:
    """`content` has what is wanted in its first line, and then the document."""
    wanted, _, text = content.partition(b"\n")
    pages, document = _pages_of(kind, text)
    return {}, json.dumps(asdict(pages.part(document, *json.loads(wanted)))).encode()


def _pages_of(kind: ApiKind | None, content: bytes) -> tuple[Any, Any]:
    """The module that makes pages of a document, and the document as it takes it."""
    if kind in (None, "openapi"):
        return importlib.import_module("app.openapi.outline"), json.loads(content)
    return _reader(kind), content.decode()


def _page(content: bytes, _kind: ApiKind | None) -> Answer:
    """Documentation: a row of a table gets all of its table's cells, however few are written."""
    from app.markdown import render_markdown

    html = render_markdown(content.decode())
    if len(html) > MAX_PAGE_HTML_CHARACTERS:
        limit = f"should become at most {MAX_PAGE_HTML_CHARACTERS} characters of HTML"
        raise DocumentError([f"markdown: {limit} (got {len(html)}). Split the page."])
    return {}, html.encode()


def _check_all(content: bytes, _kind: ApiKind | None) -> Answer:
    """The answer for each of many: to start a process takes as long as checking ten documents."""
    answers = [_answer(_check, text.encode(), kind) for kind, text in json.loads(content)]
    if any("is_too_large" in head for head, _ in answers):
        raise MemoryError
    return {}, json.dumps([(head, body.decode()) for head, body in answers]).encode()


_WORK: dict[str, Callable[[bytes, ApiKind | None], Answer]] = {
    "check": _check,
    "check-all": _check_all,
    "diff": _diff,
    "outline": _outline,
    "part": _part,
    "page": _page,
}


def _answer(
    work: Callable[[bytes, ApiKind | None], Answer], content: bytes, kind: ApiKind | None
) -> Answer:
    try:
        return work(content, kind)
    except DocumentError as error:
        return {"mistakes": error.mistakes}, b""
    except MemoryError:
        return {"is_too_large": True}, b""
    except RecursionError:
        rule = f"should have schemas that refer to each other through fewer than {MAX_RECURSION}"
        return {"mistakes": [f"the document {rule} others"]}, b""
    except Exception as error:  # what no rule has found, and the libraries do not expect
        traceback.print_exc()
        got = f"{type(error).__name__}: {shorten(str(error), _MAX_SHOWN)}"
        rule = f"should be {KIND_NAMES[kind or 'openapi']} throughout"
        return {"mistakes": [f"the document {rule} (got {got})"]}, b""


def main(what: str, kind: str, memory_bytes: int, cpu_seconds: int) -> None:
    _limit(memory_bytes, cpu_seconds)
    sys.addaudithook(_refuse)
    chosen = cast(ApiKind, kind) if kind in get_args(ApiKind) else None
    try:
        head, body = _answer(_WORK[what], sys.stdin.buffer.read(), chosen)
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
        sys.stdout.buffer.write(body)
    except MemoryError:
        # There may be too little left even to end as a program does.
        os.write(sys.stdout.fileno(), b'{"is_too_large": true}\n')
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
