"""Work on strangers' documents: one at a time, each in a process with limits of its own."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from app.constants import (
    DOCUMENT_CPU_SECONDS,
    DOCUMENT_TURN_SECONDS,
    DOCUMENT_WORK_SECONDS,
    LEAST_DOCUMENT_BYTES,
    MAX_DOCUMENT_JOBS,
    MAX_DOCUMENT_JOBS_PER_ACCOUNT,
    MOST_DOCUMENT_BYTES,
    PORTAL_BYTES,
)
from app.definitions.kinds import ApiKind
from app.exceptions import BusyError, InvalidRequestError, TooLargeError
from app.models.access import Actor
from app.request_context import client_address

_ENVIRONMENT = ("PATH", "PYTHONPATH", "LANG", "VIRTUAL_ENV")
"""The variables that the process gets; none is a secret."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where the kernel tells the container's limit, by the cgroups' version 2 and 1."""
_MB = 1024 * 1024


def container_bytes() -> int:
    """Memory that this container may use; all of the machine's if it has no limit."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    given = [file.read_text().strip() for file in _LIMITS if file.exists()]
    return min([machine, *(int(text) for text in given if text.isdecimal())])


@dataclass(frozen=True)
class WorkLimits:
    """Of one piece of work.

    Parameters
    ----------
    memory_bytes
        Of its process: what the portal itself leaves of the container's.
    cpu_seconds
        Processor time, however busy the machine is.
    seconds
        After so long the machine was too busy.
    turn_seconds
        How long a request waits until it is its turn.
    """

    memory_bytes: int
    cpu_seconds: int = DOCUMENT_CPU_SECONDS
    seconds: float = DOCUMENT_WORK_SECONDS
    turn_seconds: float = DOCUMENT_TURN_SECONDS

    @classmethod
    def of_container(cls) -> "WorkLimits":
        left = container_bytes() - PORTAL_BYTES
        return cls(memory_bytes=min(max(left, LEAST_DOCUMENT_BYTES), MOST_DOCUMENT_BYTES))


class Answer(NamedTuple):
    """What came of the work."""

    head: dict[str, Any]
    body: bytes


Work = Literal["check", "check-all", "diff", "outline", "part", "page"]


class DocumentWork:
    """Runs `python -m app.definitions.worker`."""

    def __init__(self, limits: WorkLimits | None = None) -> None:
        self._limits = limits or WorkLimits.of_container()
        self._jobs = Counter[str]()
        self._is_free = asyncio.Lock()

    @asynccontextmanager
    async def turn_of(self, actor: Actor | None) -> AsyncIterator[None]:
        """The turn of an account, or of an address that asks without one."""
        async with self.turn(str(actor.user_id) if actor else client_address.get()):
            yield

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """Wait until the work is this account's; one request of all works on documents at a time.

        Raises
        ------
        BusyError
            Raised when too many wait, of all or of this account, and when it takes too long.
        """
        if self._jobs[account] >= MAX_DOCUMENT_JOBS_PER_ACCOUNT:
            raise BusyError("another document of yours is being worked on: try again then")
        if self._jobs.total() >= MAX_DOCUMENT_JOBS:
            raise _busy()
        self._jobs[account] += 1
        try:
            await self._wait()
            try:
                yield
            finally:
                self._is_free.release()
        finally:
            self._jobs -= Counter({account: 1})

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._limits.turn_seconds):
                await self._is_free.acquire()
        except TimeoutError as error:
            raise _busy() from error

    async def run(self, what: Work, content: bytes, kind: ApiKind | None = None) -> Answer:
        """The result of the work, in a `turn`; without a kind, the document's own is found out.

        Raises
        ------
        InvalidRequestError
            Raised with the document's mistakes.
        TooLargeError
            Raised when it needs more memory or processor time than there is.
        BusyError
            Raised when the machine is too busy for it, or out of memory.
        """
        code, out = await self._run(what, kind or "any", content)
        if code:
            self._explain(what, code)
        head, _, body = out.partition(b"\n")
        answer = Answer(json.loads(head), body)
        if answer.head.get("is_too_large"):
            raise self._too_large()
        if mistakes := answer.head.get("mistakes"):
            raise InvalidRequestError("; ".join(mistakes))
        return answer

    async def _run(self, what: str, kind: str, content: bytes) -> tuple[int | None, bytes]:
        limits = (str(self._limits.memory_bytes), str(self._limits.cpu_seconds))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.definitions.worker", what, kind, *limits),
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._limits.seconds):
                out, _ = await process.communicate(content)
        except TimeoutError as error:
            raise _busy() from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode, out

    def _explain(self, what: str, code: int) -> None:
        if code == -signal.SIGXCPU:
            raise TooLargeError(
                f"the document should take at most {self._limits.cpu_seconds} s of processor time; "
                "it takes more. Split it, or simplify its schemas."
            )
        if code == -signal.SIGKILL:
            raise BusyError("the portal ran out of memory for the document: try again")
        if code < 0:
            raise self._too_large()
        raise RuntimeError(f"app.definitions.worker {what} ended with {code}")

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"the document should take at most {self._limits.memory_bytes // _MB} MB of memory to "
            "be worked on; it takes more. Split it, or give the portal more memory."
        )


def _busy() -> BusyError:
    return BusyError("the portal is busy with other documents: try again in a moment")
