"""Tracebacks as the author of a program wants them: their own lines and nothing else."""

from __future__ import annotations

import os
import sysconfig
import traceback

_LIBRARY_FOLDERS = ("site-packages", "dist-packages")


def describe(error: BaseException, executor_folder: str) -> str:
    """Return the traceback of an error without frames of libraries.

    Frames of the executor, the Pulumi SDK, the standard library and installed packages are left
    out, in the error and in those that led to it. An error with no frame in the program's own
    files keeps all but the executor's, because then they are all there is to go by.

    Parameters
    ----------
    error
        What the program raised.
    executor_folder
        Folder of the executor's own modules.
    """
    report = traceback.TracebackException.from_exception(error, compact=True)
    for part in _chain(report):
        frames = _own_frames(part, executor_folder)
        part.stack = traceback.StackSummary.from_list([_readable(frame) for frame in frames])
    return "".join(report.format()).rstrip("\n")


def _chain(report: traceback.TracebackException) -> list[traceback.TracebackException]:
    found: list[traceback.TracebackException] = []
    waiting: list[traceback.TracebackException | None] = [report]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        found.append(part)
        waiting += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or [])]
    return found


def _own_frames(
    part: traceback.TracebackException, executor_folder: str
) -> list[traceback.FrameSummary]:
    own = [frame for frame in part.stack if not _is_library(frame.filename, executor_folder)]
    # A syntax error shows its place itself.
    if own or isinstance(getattr(part, "text", None), str):
        return own
    return [frame for frame in part.stack if not _is_below(frame.filename, executor_folder)]


def _is_library(filename: str, executor_folder: str) -> bool:
    if filename.startswith("<"):
        return True
    path = os.path.abspath(filename)
    parts = path.split(os.sep)
    if any(folder in parts for folder in _LIBRARY_FOLDERS):
        return True
    return any(_is_below(path, folder) for folder in (executor_folder, *_standard_library()))


def _standard_library() -> list[str]:
    return [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(os.path.abspath(folder), ""))


def _readable(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    # The program runs as ".", so that its modules are called /project/./module.py.
    if not frame.filename.startswith("<"):
        frame.filename = os.path.normpath(frame.filename)
    return frame
