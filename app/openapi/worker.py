"""`python -m app.openapi.worker WHAT MEMORY_BYTES CPU_SECONDS`: work on a stranger's document.

It runs in a process of its own, which has a bound on its memory and its processor time, is the
first that the kernel ends when memory is short, and can neither open a connection nor write a file.
It reads from standard input, and writes one line of JSON, which the result's bytes follow.
"""

import hashlib
import json
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.lines import clean_line, shorten
from app.openapi.reading import MAX_RECURSION, DocumentError

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


def _check(content: bytes) -> Answer:
    from app.openapi.check import read_checked
    from app.openapi.summary import summarise

    given, document = read_checked(content)
    text, original = _compact(document), "" if given is document else _compact(given)
    head = {
        "sha256": hashlib.sha256(f"{text}{original}".encode()).hexdigest(),
        "openapi": "2.0" if original else document["openapi"],
        "original": original or None,
        "title": clean_line(document["info"]["title"])[:500],
        "version": str(document["info"]["version"]),
        "size_bytes": len((original or text).encode()),
        "summary": summarise(document),
    }
    return head, text.encode()


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _diff(content: bytes) -> Answer:
    from app.openapi.diff import diff_documents, report

    found = report(diff_documents(*json.loads(content)), most=_MAX_CHANGES)
    return {}, json.dumps(asdict(found)).encode()


def _outline(content: bytes) -> Answer:
    from app.openapi.outline import outline

    return {}, json.dumps(asdict(outline(json.loads(content)))).encode()


def _part(content: bytes) -> Answer:
    from app.openapi.outline import part

    kind, name, document = json.loads(content)
    return {}, json.dumps(asdict(part(document, kind, name))).encode()


def _check_all(content: bytes) -> Answer:
    """The answer for each of many: to start a process takes as long as checking ten documents."""
    answers = [_answer(_check, text.encode()) for text in json.loads(content)]
    if any("is_too_large" in head for head, _ in answers):
        raise MemoryError
    return {}, json.dumps([(head, body.decode()) for head, body in answers]).encode()


_WORK: dict[str, Callable[[bytes], Answer]] = {
    "check": _check,
    "check-all": _check_all,
    "diff": _diff,
    "outline": _outline,
    "part": _part,
}


def _answer(work: Callable[[bytes], Answer], content: bytes) -> Answer:
    try:
        return work(content)
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
        return {"mistakes": [f"the document should be OpenAPI throughout (got {got})"]}, b""


def main(what: str, memory_bytes: int, cpu_seconds: int) -> None:
    _limit(memory_bytes, cpu_seconds)
    sys.addaudithook(_refuse)
    head, body = _answer(_WORK[what], sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
