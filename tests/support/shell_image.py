"""An image made of this machine's own shell, for tests where no registry can be reached."""

import io
import re
import shutil
import subprocess
import tarfile

PROGRAMS = ("sh", "cat", "sleep")


def shell_archive() -> bytes:
    """A root file system with a shell, `cat` and `sleep` of this machine and their libraries."""
    programs = [shutil.which(name) or name for name in PROGRAMS]
    listed = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    libraries = sorted(set(re.findall(r"(/\S+) \(0x", listed)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name, path in zip(PROGRAMS, programs, strict=True):
            archive.add(path, f"bin/{name}")
        for path in libraries:
            archive.add(path, path.lstrip("/"))
    return buffer.getvalue()
