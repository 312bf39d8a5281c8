"""The Python environment in which the Pulumi program and the toolchain run."""

import os
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup.atomic import point_link
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.python_packages import install_environment, is_complete
from toolchain.setup.work import Work

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class PythonEnvironment:
    """`.venv` in the clone: a link to an environment that all clones share."""

    project: Project
    name = "python environment"
    purpose = "install the packages of requirements.txt"
    after = ()

    def find(self) -> str | None:
        folder = self.project.python_folder(REQUIREMENTS)
        if is_complete(folder) and self._link.resolve() == folder.resolve():
            return f".venv, {folder.name}"
        return None

    def run(self, work: Work) -> None:
        if self._link.exists() and not self._link.is_symlink():
            raise SetupError(
                f"{work.label}: .venv should be a link that the set-up makes (got a folder of "
                "yours). Move it away and run this again."
            )
        folder = self.project.python_folder(REQUIREMENTS)
        if not is_complete(folder):
            install_environment(folder, [self.project.root / REQUIREMENTS], work)
        if not os.path.lexists(self._link) or self._link.resolve() != folder.resolve():
            point_link(self._link, folder)

    @property
    def _link(self) -> Path:
        return self.project.root / ".venv"
