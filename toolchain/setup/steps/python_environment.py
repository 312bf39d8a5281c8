"""Python environments, one for each content of the requirements, which all clones share."""

import os
import sys
import sysconfig
import venv
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.atomic import point_link
from toolchain.setup.project import digest
from toolchain.setup.schedule import Step
from toolchain.setup.work import Work

_STAMP = "complete"
"""A file that comes last: an environment cannot be built aside and moved."""


class PythonEnvironment(Step):
    """An environment in the cache, with the packages of `requirements`.

    pip gets one file after the other: it wants hashes for all of a run or for none.
    """

    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its name tells what it holds, and for which Python."""
        identity = f"{sys.implementation.cache_tag} {sys.version.split()[0]}"
        texts = [(self.project.root / name).read_bytes() for name in self.requirements]
        name = digest(f"{identity} {sysconfig.get_platform()}".encode(), *texts)
        return self.project.places.cache / "python" / name

    def find(self) -> str | None:
        return self.folder.name if _is_whole(self.folder) else None

    def run(self, work: Work) -> None:
        work.show("making the environment")
        try:
            # As `python -m venv` has it. A copy of the interpreter, which runs at once, is busy
            # while a command that another step starts right then still has the file open.
            venv.create(self.folder, clear=True, symlinks=True, with_pip=True)
        except Exception as error:  # ensurepip is missing, or cannot run
            raise UserError(
                f"{work.label}: python3 should be able to make environments (got: {error}). "
                "Install python3-venv and run this again."
            ) from None
        python = str(self.folder / "bin" / "python")
        for name in self.requirements:
            work.run([python, "-m", "pip", "install", "-r", str(self.project.root / name)])
        (self.folder / _STAMP).touch()


def _is_whole(folder: Path) -> bool:
    """Whether an environment is complete, with its interpreter, and open to this user.

    Root's cache, into which `.venv` leads after `sudo make up`, is closed to others.
    """
    stamp, python = folder / _STAMP, folder / "bin" / "python"
    return os.access(stamp, os.R_OK) and os.access(python, os.X_OK)


class ProgramEnvironment(PythonEnvironment):
    """The environment in which the Pulumi program runs: `.venv` in the clone is a link to it.

    A link to one of the same content that the set-up of another HOME has made is left as it is.
    """

    name = "python environment"
    purpose = "install the packages of requirements.txt"
    requirements = ("requirements.txt",)

    def find(self) -> str | None:
        linked = self._link.resolve()
        current = linked.name == self.folder.name and _is_whole(linked)
        return f".venv, {linked.name}" if current else None

    def run(self, work: Work) -> None:
        if os.path.lexists(self._link) and not self._link.is_symlink():
            raise UserError(
                f"{work.label}: .venv should be a link that the set-up makes (got a folder of "
                "yours). Move it away and run this again."
            )
        if not super().find():
            super().run(work)
        point_link(self._link, self.folder)

    @property
    def _link(self) -> Path:
        return self.project.root / ".venv"
