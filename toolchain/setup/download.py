"""Official downloads, tried only as long as it takes to see that they answer."""

import shutil
import tarfile
import threading
import urllib.request
from pathlib import Path
from typing import IO

from toolchain.setup.errors import StoppedError
from toolchain.setup.work import Work

ANSWER_SECONDS = 5.0
_CHUNK_BYTES = 1 << 20


class DownloadError(Exception):
    """The file cannot be had from here."""


def fetch_archive(url: str, folder: Path, work: Work) -> None:
    """Unpack the .tar.gz at `url` into `folder`.

    Raises
    ------
    DownloadError
        Raised when nothing answers within a few seconds, or not with an archive.
    """
    work.show("looking for the official download")
    archive = folder / "archive.tar.gz"
    try:
        _save(_open(url), archive, work)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        raise DownloadError(str(error)) from None
    archive.unlink()


def _open(url: str) -> IO[bytes]:
    """Open in a thread: Python's name look-up has no time limit of its own."""
    answers: list[IO[bytes]] = []

    def open_now() -> None:
        try:
            answers.append(urllib.request.urlopen(url, timeout=ANSWER_SECONDS))
        except (OSError, ValueError):
            return

    opening = threading.Thread(target=open_now, daemon=True)
    opening.start()
    opening.join(ANSWER_SECONDS)
    if not answers:
        raise OSError(f"no answer from {url}")
    return answers[0]


def _save(answer: IO[bytes], path: Path, work: Work) -> None:
    size_bytes = 0
    with answer, path.open("wb") as file:
        while chunk := answer.read(_CHUNK_BYTES):
            if work.stop.is_set():
                raise StoppedError
            file.write(chunk)
            size_bytes += len(chunk)
            work.show(f"{size_bytes >> 20} MB downloaded")
