"""Passwords: rules for new ones, and Argon2id, which is slow and large on purpose."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.constants import (
    HASH_WAIT_SECONDS,
    HASHES_AT_ONCE,
    MAX_PASSWORD_CHARACTERS,
    MIN_PASSWORD_CHARACTERS,
)
from app.exceptions import InvalidRequestError, UnavailableError
from app.services.common_passwords import is_common

T = TypeVar("T")


def make_hasher() -> PasswordHasher:
    """Argon2id with the first parameters of OWASP's cheat sheet: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Passwords:
    """Hashes and verifies in threads, few at a time, because more would only take memory."""

    def __init__(self) -> None:
        self._hasher = make_hasher()
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="argon2")
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        # Verified if there is no such account, so that this takes as long as if there were.
        self._nobodys = self._hasher.hash("nobody's")

    async def hash(self, password: str) -> str:
        """The password's hash, salted anew."""
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one; as slow without a stored one."""
        found = await self._run(lambda: self._verify(stored or self._nobodys, password))
        return found and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(HASH_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise UnavailableError("too many log-ins at the same time") from error
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._turns.release()


def check_new_password(password: str, *, email: str) -> None:
    """Refuse passwords that are easy to guess; no rule on kinds of characters (ASVS 6.2.5).

    Raises
    ------
    InvalidRequestError
        Raised with the rule that is broken.
    """
    length = len(password)
    if not MIN_PASSWORD_CHARACTERS <= length <= MAX_PASSWORD_CHARACTERS:
        raise InvalidRequestError(
            f"password: should be {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} "
            f"characters (got {length})"
        )
    lowered = _normal(password).casefold()
    if is_common(lowered):
        raise InvalidRequestError("password: should not be one that many people use")
    if lowered in (email.casefold(), email.casefold().partition("@")[0]):
        raise InvalidRequestError("password: should not be the e-mail address")


def _normal(password: str) -> str:
    """The same text however the keyboard composes its letters (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)
