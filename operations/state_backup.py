"""`make state-backup` and `make state-restore`: a stack's state and settings in one encrypted file.

The state holds the generated passwords and knows what belongs to the stack: without it the next
`up` would make everything anew, beside data that it has no password for.
"""

import argparse
import base64
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from infra.errors import UserError
from operations.interruption import DamagedStateError, read_latest
from operations.passphrase import check_passphrase, read_passphrase
from operations.stack import Stack
from toolchain.setup.atomic import write_file

_MARK = b"devportal-state-1\n"
_SALT_BYTES = 16


def back_up_state(stack: Stack, options: argparse.Namespace) -> None:
    """Write the file and print its name. Raises UserError when the stack has no state."""
    if stack.is_production:
        check_passphrase(stack)
    exported = stack.run_pulumi("stack", "export")
    if exported.returncode:
        raise stack.lacks("a state", f"got: {exported.stderr.strip()}")
    content = {
        "stack": stack.name,
        "settings": stack.file.read_text(),
        "deployment": json.loads(exported.stdout),
    }
    file = Path(options.file or f"devportal-{stack.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.state")
    _write_private(file, encrypt(json.dumps(content).encode(), read_passphrase(stack)))
    print(file)


def restore_state(stack: Stack, options: argparse.Namespace) -> None:
    """Put the state and the settings back.

    Raises UserError for a file that is not this stack's or not whole, for another passphrase, and
    when the stack has a state that would be lost.
    """
    content = _read(options.file, stack)
    if _has_resources(stack) and not options.yes:
        raise UserError(
            f"stack {stack.name}: should have no state (got one with resources). To lose it, add "
            "ARGS=--yes."
        )
    before = stack.file.read_text() if stack.file.exists() else ""
    # Pulumi needs them, their salt, to open the state.
    write_file(stack.file, content["settings"])
    try:
        stack.prepare_with_pulumi("stack", "select", "--create")
        stack.prepare_with_pulumi("stack", "import", text=json.dumps(content["deployment"]))
    except BaseException:
        if before:
            write_file(stack.file, before)
        raise
    print(
        f"stack {stack.name}: has the state of {options.file} again; `make drift "
        f"STACK={stack.name}` tells how the engine differs"
    )


def encrypt(content: bytes, passphrase: str) -> bytes:
    """Fernet under a key of scrypt (RFC 7914), its salt in front."""
    salt = os.urandom(_SALT_BYTES)
    return _MARK + salt + _cipher(passphrase, salt).encrypt(content)


def decrypt(data: bytes, passphrase: str) -> bytes:
    """What `encrypt` was given; raises InvalidToken for another passphrase or a damaged file."""
    if not data.startswith(_MARK):
        raise InvalidToken
    salt, token = data[len(_MARK) :][:_SALT_BYTES], data[len(_MARK) + _SALT_BYTES :]
    return _cipher(passphrase, salt).decrypt(token)


def _cipher(passphrase: str, salt: bytes) -> Fernet:
    key = Scrypt(salt=salt, length=32, n=1 << 15, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _read(name: str, stack: Stack) -> Mapping[str, Any]:
    file = Path(name)
    if not file.is_file():
        raise UserError(
            f"ARGS: should name a file of `make state-backup` (got '{name}'). "
            "Use ARGS='--file NAME'."
        )
    try:
        content = json.loads(decrypt(file.read_bytes(), read_passphrase(stack)))
    except InvalidToken:
        raise UserError(
            f"{file}: should be whole, and under the passphrase of stack {stack.name} (got a file "
            "that does not open). Set that passphrase, or take another file."
        ) from None
    if content["stack"] != stack.name:
        raise UserError(
            f"{file}: should be of stack {stack.name} (got {content['stack']}). "
            f"Run this with STACK={content['stack']}."
        )
    return content


def _has_resources(stack: Stack) -> bool:
    try:
        return bool(read_latest(stack).get("resources"))
    except DamagedStateError:  # which this puts right
        return False


def _write_private(file: Path, data: bytes) -> None:
    """Write a new file that is on disk when this ends, or none."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(
            f"ARGS: --file should name a new file (got '{file}', which is there). Choose another."
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(descriptor)
    except BaseException as error:
        file.unlink()
        if isinstance(error, OSError):  # it names no file
            raise OSError(error.errno, error.strerror, str(file)) from None
        raise
