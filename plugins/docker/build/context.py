"""The files that a build gets: a folder, less what `.dockerignore` names, plus the Dockerfile."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plugins.docker.build.dockerignore import IgnoreRules, read_patterns
from plugins.docker.errors import ResourceError


class ContextError(ResourceError):
    """The context or the Dockerfile cannot be used; the message names the path."""


@dataclass(frozen=True)
class Entry:
    """One folder, file or link of the context.

    Parameters
    ----------
    name
        Path relative to the context, with `/` between folders.
    path
        Where it is on this machine.
    status
        Its `lstat` result: links are never followed.
    """

    name: str
    path: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder itself, not a link to one."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)


@dataclass(frozen=True)
class BuildContext:
    """A context folder and the Dockerfile to build it with, which may lie outside of it.

    Parameters
    ----------
    folder
        Context folder; resolved on use.
    dockerfile
        Path of the Dockerfile on this machine.
    """

    folder: Path
    dockerfile: Path

    @cached_property
    def root(self) -> Path:
        """Context folder with links resolved."""
        return self.folder.resolve()

    @cached_property
    def relative_dockerfile(self) -> str:
        """Path of the Dockerfile seen from the context; starts with `../` when it is outside."""
        return Path(os.path.relpath(self.dockerfile.resolve(), self.root)).as_posix()

    @property
    def holds_dockerfile(self) -> bool:
        """Whether the Dockerfile is one of the context's own files."""
        return not self.relative_dockerfile.startswith("../")

    @cached_property
    def sent_dockerfile(self) -> str:
        """Name of the Dockerfile in what is sent.

        An outside Dockerfile is sent under a name of its content, so that an unchanged one leaves
        the builder's cache valid.
        """
        if self.holds_dockerfile:
            return self.relative_dockerfile
        digest = hashlib.sha256(self.dockerfile.read_bytes()).hexdigest()
        return f".dockerfile.{digest[:20]}"

    def entries(self) -> Iterator[Entry]:
        """Everything that is not ignored, folders before their content, in order of names.

        Raises
        ------
        ContextError
            Raised for a folder that cannot be listed.
        DockerignoreError
            Raised for a broken `.dockerignore`.
        """
        rules = IgnoreRules(read_patterns(self.root, self.dockerfile.absolute()))
        yield from _Walk(rules).entries(str(self.root), "", ())


class _Walk:
    """One pass over a tree; ignored folders are entered only if something below may come back."""

    def __init__(self, rules: IgnoreRules) -> None:
        self._rules = rules

    def entries(self, folder: str, prefix: str, verdicts: tuple[bool, ...]) -> Iterator[Entry]:
        for item in _listed(folder):
            name = f"{prefix}{item.name}"
            status = item.stat(follow_symlinks=False)
            if stat.S_ISSOCK(status.st_mode):
                continue
            entry = Entry(name, item.path, status)
            own = self._rules.verdicts(name, verdicts)
            ignored = self._rules.is_ignored(own)
            if not ignored:
                yield entry
            if entry.is_folder:
                yield from self._below(entry, own, ignored)

    def _below(self, entry: Entry, verdicts: tuple[bool, ...], ignored: bool) -> Iterator[Entry]:
        if ignored and not self._rules.may_admit_below(entry.name):
            return
        inside = self.entries(entry.path, f"{entry.name}/", verdicts)
        first = next(inside, None)
        if first is None:
            return
        if ignored:
            # The way to a path that was taken back.
            yield entry
        yield first
        yield from inside


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: os.fsencode(item.name))
    except OSError as error:
        raise ContextError(
            f"build context {folder}: should be a readable folder "
            f"(got: {(error.strerror or 'error').lower()}). Correct the path, its permissions "
            "or .dockerignore."
        ) from error
