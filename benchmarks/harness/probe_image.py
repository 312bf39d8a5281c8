"""The portal's image with addresses beside it that are made to be cut off by a bad update."""

import importlib.util
import io
import tarfile
from pathlib import Path

from benchmarks.harness.portal_stack import PortalStack

_FOLDER = Path(__file__).parent / "probe"
ORDERS_TABLE = (
    "create table probe_orders (identity text not null); "
    "grant insert on probe_orders to devportal_user"
)
"""What `POST /probe/orders/<identity>` writes to; asked by the superuser."""


def build_probe(stack: PortalStack, version: str) -> str:
    """Build a version of it on the stack's own image of the portal; its name."""
    return _build(stack, f"devportal-{stack.name}-probe:{version}", _context(), VERSION=version)


def build_silent(stack: PortalStack) -> str:
    """Build an image of a portal that migrates and starts, but never responds; its name."""
    command = 'CMD ["sh", "-c", "echo runs and never responds; exec sleep 600"]'
    return build_with(stack, "silent", command)


def build_with(stack: PortalStack, name: str, line: str, **files: str) -> str:
    """Build an image of a portal with one line more in its Dockerfile; its name.

    Parameters
    ----------
    files
        Texts that the line may name, by their names without `.py`.
    """
    texts = {f"{file}.py": text for file, text in files.items()}
    texts["Dockerfile"] = f"ARG PORTAL_IMAGE\nFROM ${{PORTAL_IMAGE}}\n{line}\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file, text in texts.items():
            member = tarfile.TarInfo(file)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return _build(stack, f"devportal-{stack.name}-{name}:1", buffer.getvalue())


def _build(stack: PortalStack, name: str, context: bytes, **arguments: str) -> str:
    stack.client.images.build(
        fileobj=io.BytesIO(context),
        custom_context=True,
        tag=name,
        rm=True,
        buildargs={"PORTAL_IMAGE": stack.image_id("app"), **arguments},
    )
    return name


def _context() -> bytes:
    """The probe, and the package that gives the server WebSockets, which the portal has none of."""
    package = importlib.util.find_spec("websockets")
    assert package is not None
    assert package.origin is not None
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(_FOLDER, ".", filter=_leave_out_caches)
        archive.add(Path(package.origin).parent, "websockets", filter=_leave_out_caches)
    return buffer.getvalue()


def _leave_out_caches(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    # Whatever umask the files were made under, the portal's user reads them.
    member.mode |= 0o555 if member.isdir() else 0o444
    return None if "__pycache__" in member.name else member
