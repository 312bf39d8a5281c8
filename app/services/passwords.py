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

T = TypeVar("T")
_LEAKED = """
    administrator administrators password1234 password12345 password123456 passwordpassword
    1234567890ab 123456789012 1234567890123 12345678901234 123456789abc 1q2w3e4r5t6y 1qaz2wsx3edc
    1qaz2wsx3edc4rfv q1w2e3r4t5y6 qwertyuiop12 qwertyuiop123 qwerty123456 qwertyqwerty
    qwertyuiopas qwertyuiopasdfgh asdfghjkl123 zxcvbnm12345 iloveyou1234 iloveyouforever
    welcome12345 letmein12345 changeme1234 changemenow1 changemeplease correcthorsebatterystaple
    trustno1trustno1 superman1234 football1234 baseball1234 liverpool123 manchesterunited
    unbelievable thunderstruck abcdefghijkl abcdefghijklm abcd12345678 abc123456789 abcabcabcabc
    aaaaaaaaaaaa secret123456 master123456 dragon123456 monkey123456 sunshine1234 princess1234
    p@ssw0rd1234 p@ssword1234 passw0rd1234 admin1234567 admin123456789 root12345678 developer123
    devportal123 devportal1234
"""
"""Of twelve characters and more, those that lists of leaked ones have at their top."""
_COMMON = frozenset(_LEAKED.split())
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


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
    if _is_common(lowered):
        raise InvalidRequestError("password: should not be one that many people use")
    if lowered in (email.casefold(), email.casefold().partition("@")[0]):
        raise InvalidRequestError("password: should not be the e-mail address")


def _is_common(password: str) -> bool:
    """Whether `password`, in lower case, is guessed among the first: known, repeated or a run."""
    if password in _COMMON or len(set(password)) <= 2:
        return True
    return any(password in run * 8 or password[::-1] in run * 8 for run in _RUNS)


def _normal(password: str) -> str:
    """The same text however the keyboard composes its letters (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)
