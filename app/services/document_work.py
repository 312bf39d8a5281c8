"""Work on documents in separate processes, a few at a time, each with a time limit."""

import asyncio
import json
import os
import sys
from typing import Any, Literal

from app.constants import DOCUMENT_WORK_SECONDS, DOCUMENT_WORKERS
from app.exceptions import InvalidRequestError

_ENVIRONMENT = ("PATH", "PYTHONPATH", "LANG", "VIRTUAL_ENV")
"""The variables that the process gets; none is a secret."""


class DocumentWork:
    """Runs `python -m app.openapi`."""

    def __init__(self, seconds: float = DOCUMENT_WORK_SECONDS) -> None:
        self._seconds = seconds
        self._free = asyncio.Semaphore(DOCUMENT_WORKERS)

    async def run(self, what: Literal["check", "diff"], content: bytes) -> dict[str, Any]:
        """The result of the work.

        Raises
        ------
        InvalidRequestError
            Raised with the document's mistakes, or when the work takes too long.
        """
        async with self._free:
            answer = await self._run(what, content)
        if mistakes := answer.get("mistakes"):
            raise InvalidRequestError("; ".join(mistakes))
        return answer

    async def _run(self, what: str, content: bytes) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.openapi", what),
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._seconds):
                out, _ = await process.communicate(content)
        except TimeoutError:
            return {
                "mistakes": [
                    f"the document should be small enough to be checked within {self._seconds:g} s"
                ]
            }
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"app.openapi {what} ended with {process.returncode}")
        found: dict[str, Any] = await asyncio.to_thread(json.loads, out)
        return found
