"""Work on hostile documents: it ends, within its limits, with a reason."""

import asyncio
import json
import os
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from app.constants import MAX_DOCUMENT_JOBS
from app.exceptions import PortalError
from app.services import document_work as module
from app.services.document_work import DocumentWork, WorkLimits, container_bytes
from tests.support.api_documents import answering, named

pytestmark = pytest.mark.alone

_MB = 1024 * 1024
_LIMITS = WorkLimits(memory_bytes=256 * _MB, cpu_seconds=10)
_LEVELS = 26


def doubling(leaf: str) -> dict[str, Any]:
    """Schemas of which each is made of the next one, twice: 2^26 ways lead to the last."""
    schemas: dict[str, Any] = {
        f"S{n}": {"allOf": [named(f"S{n + 1}")] * 2, "default": {}} for n in range(_LEVELS)
    }
    schemas[f"S{_LEVELS}"] = {"properties": {"a": {"type": leaf}}}
    return answering(named("S0"), schemas=schemas)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except PortalError as error:
        return error.status, error.detail


def check(content: str | bytes, limits: WorkLimits = _LIMITS) -> Any:
    given = content.encode() if isinstance(content, str) else content
    return run(DocumentWork(limits).run("check", given))


def test_schemas_that_many_ways_lead_to_are_walked_once() -> None:
    old, new = doubling("string"), doubling("integer")
    work = DocumentWork(_LIMITS)
    assert run(work.run("check", json.dumps(old).encode())).head["title"] == "Orders"
    diff = json.loads(run(work.run("diff", json.dumps([old, new]).encode())).body)
    [group] = diff["breaking"]["groups"]
    assert [(group["name"], change["where"]) for change in group["changes"]] == [("S0", ".a")]
    outline = json.loads(run(work.run("outline", json.dumps(old).encode())).body)
    assert len(outline["schemas"]) == _LEVELS + 1
    wanted = f"{json.dumps(['schema', outline['schemas'][0]])}\n{json.dumps(old)}".encode()
    assert len(json.loads(run(work.run("part", wanted)).body)["rows"]) == 1


_ORDERS = '{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}'
_OWN = '"components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}}'
_TOO_LARGE = (
    "the document should take at most 128 MB of memory to be worked on; it takes more. "
    "Split it, or give the portal more memory."
)
_TOO_SLOW = (
    "the document should take at most 10 s of processor time; it takes more. Split it, or simplify "
    "its schemas."
)
_SMALL = WorkLimits(memory_bytes=128 * _MB, cpu_seconds=10)
_TABLE = "|" + "a|" * 180 + "\n|" + "-|" * 180 + "\n" + "a\n" * 361 + "\n"
"""A kilobyte that becomes 600: each row gets all cells of its table, however few are written."""
_HOSTILE = [
    ("type A { a: Int }\n" * 300_000, 413, _TOO_LARGE),
    (f"message A {{}}{';' * 1_000_000}", 413, _TOO_LARGE),
    (
        f"{_ORDERS}, {_OWN}",
        422,
        "#/components/schemas/A/$ref: should lead to something else than references "
        "(got '#/components/schemas/A')",
    ),
    (
        f'{_ORDERS}, "x-number": 1{"0" * 5000}}}',
        422,
        "the document should be plain JSON (got: Exceeds the limit (4300 digits) for integer "
        "string conversion: value has 5001 digits; use sys.set_int_max_str_digits() to increase "
        "the limit)",
    ),
    (
        f'{_ORDERS}, "x-lists": [{"[]," * 3_000_000} []]}}',
        413,
        _TOO_LARGE,
    ),
]


def refusals(status: int, said: str) -> list[tuple[int, str]]:
    """In a process without a byte left CPython 3.11 may look for the handler of its MemoryError for
    ever, once in some thirty times; then it is the processor time that ends it."""
    return [(status, said), *([(status, _TOO_SLOW)] if said == _TOO_LARGE else [])]


@pytest.mark.parametrize(("content", "status", "said"), _HOSTILE, ids=range(len(_HOSTILE)))
def test_hostile_document_is_refused_with_a_reason(content: str, status: int, said: str) -> None:
    assert check(content, _SMALL) in refusals(status, said)


@pytest.mark.parametrize(
    ("markdown", "status", "said"),
    [
        (_TABLE * 2, 413, _TOO_LARGE),
        (
            "a" * 2_000_000,
            422,
            "markdown: should become at most 2000000 characters of HTML (got 2000008). "
            "Split the page.",
        ),
    ],
    ids=["tables", "long"],
)
def test_page_that_becomes_too_much_is_refused_with_a_reason(
    markdown: str, status: int, said: str
) -> None:
    assert run(DocumentWork(_SMALL).run("page", markdown.encode())) in refusals(status, said)


def test_page_is_rendered_by_the_work_on_documents() -> None:
    answer = run(DocumentWork(_LIMITS).run("page", "*é* <b>".encode()))
    assert answer.body.decode() == "<p><em>é</em> &lt;b&gt;</p>\n"


def test_work_ends_after_its_processor_time_however_long_it_waits_for_it() -> None:
    values = ", ".join(f'"x-{n}": [{n}, {{"a": "{n}"}}]' for n in range(300_000))
    assert check(f"{_ORDERS}, {values}}}", WorkLimits(memory_bytes=1024 * _MB, cpu_seconds=1)) == (
        413,
        "the document should take at most 1 s of processor time; it takes more. Split it, or "
        "simplify its schemas.",
    )


def test_machine_that_is_too_busy_is_no_mistake_of_the_document() -> None:
    limits = WorkLimits(memory_bytes=256 * _MB, seconds=0.001)
    busy = (503, "the portal is busy with other documents: try again in a moment")
    assert check(f"{_ORDERS}}}", limits) == busy


def test_kernel_ends_the_work_and_not_the_portal() -> None:
    async def kill_as_the_kernel_does() -> None:
        for _ in range(10_000):
            for child in children():
                with suppress(FileNotFoundError):
                    score = Path(f"/proc/{child}/oom_score_adj").read_text().strip()
                    if score == "1000":
                        os.kill(child, signal.SIGKILL)
                        return
            await asyncio.sleep(0.001)
        raise AssertionError("the work has not started")

    async def both() -> str:
        work = asyncio.create_task(DocumentWork(_LIMITS).run("check", b" " * 5_000_000))
        await kill_as_the_kernel_does()
        with pytest.raises(PortalError) as caught:
            await work
        return f"{caught.value.status} {caught.value.detail}"

    assert run(both()) == "503 the portal ran out of memory for the document: try again"


def children() -> list[int]:
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


def test_one_request_works_at_a_time_and_few_wait() -> None:
    async def crowd() -> list[tuple[int, str, str]]:
        work = DocumentWork(WorkLimits(memory_bytes=0, turn_seconds=0.05))
        refused: list[tuple[int, str, str]] = []

        async def ask(account: str) -> None:
            try:
                async with work.turn(account):
                    raise AssertionError("it is somebody else's turn")
            except PortalError as error:
                refused.append((error.status, error.detail, error.headers["Retry-After"]))

        async with AsyncExitStack() as first:
            await first.enter_async_context(work.turn("anna"))
            waiting = [asyncio.create_task(ask("anna"))]
            await asyncio.sleep(0)
            await ask("anna")
            others = [f"other-{n}" for n in range(MAX_DOCUMENT_JOBS - 2)]
            waiting += [asyncio.create_task(ask(account)) for account in others]
            await asyncio.sleep(0)
            await ask("bert")
            await asyncio.gather(*waiting)
        async with work.turn("anna"):
            return refused

    busy = (503, "the portal is busy with other documents: try again in a moment", "10")
    own = (503, "another document of yours is being worked on: try again then", "10")
    assert run(crowd()) == [own, busy, *[busy] * (MAX_DOCUMENT_JOBS - 1)]


@pytest.mark.parametrize(
    ("given", "megabytes"),
    [("536870912\n", 256), ("max\n", 1024), ("9223372036854771712", 1024), ("1", 96)],
)
def test_work_gets_what_the_portal_leaves_of_the_containers_memory(
    given: str, megabytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(given)
    monkeypatch.setattr(module, "_LIMITS", (tmp_path / "absent", limit))
    assert WorkLimits.of_container().memory_bytes == megabytes * _MB
    assert container_bytes() > 0
