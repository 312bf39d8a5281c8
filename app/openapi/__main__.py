"""`python -m app.openapi check|diff`: work on a stranger's document, in a process of its own.

Reads from standard input and writes JSON. The process can be ended when it takes too long, has
a bound on its memory, and can neither open a connection nor write a file.
"""

import hashlib
import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from app.openapi.reading import DocumentError, read_document

_MEMORY_BYTES = 1536 * 1024 * 1024
_REFUSED = ("socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.exec")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and str(arguments[1] or "r")[0] in "wax+"
    if writes or event in _REFUSED:
        raise PermissionError(f"{event} is not for this process")


def _check(content: bytes) -> dict[str, Any]:
    from app.openapi.check import check_document
    from app.openapi.summary import summarise

    document = read_document(content)
    check_document(document, size_bytes=len(content))
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return {
        "document": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "openapi": document["openapi"],
        "title": "".join(filter(str.isprintable, document["info"]["title"]))[:500],
        "version": str(document["info"]["version"]),
        "size_bytes": len(text.encode()),
        "summary": summarise(document),
    }


def _diff(content: bytes) -> dict[str, Any]:
    from app.openapi.diff import diff_documents

    old, new = json.loads(content)
    return {"changes": [asdict(change) for change in diff_documents(old, new)]}


def main() -> None:
    content = sys.stdin.buffer.read()
    work = {"check": _check, "diff": _diff}[sys.argv[1]]
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    sys.addaudithook(_refuse)
    try:
        answer = work(content)
    except DocumentError as error:
        answer = {"mistakes": error.mistakes}
    except (MemoryError, RecursionError):
        answer = {
            "mistakes": ["the document should be simpler: working on it takes too much memory"]
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
