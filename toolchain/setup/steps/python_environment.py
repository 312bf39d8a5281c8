"""The Python environment in which the Pulumi program runs."""

from pathlib import Path

from toolchain.setup.atomic import point_link
from toolchain.setup.errors import SetupError
from toolchain.setup.python_packages import install_environment, is_complete
from toolchain.setup.schedule import Step
from toolchain.setup.work import Work

REQUIREMENTS = "requirements.txt"


class PythonEnvironment(Step):
    """`.venv` in the clone: a link to an environment that all clones share.

    A link to one of the same content that the set-up of another HOME has made is left as it is.
    """

    name = "python environment"
    purpose = f"install the packages of {REQUIREMENTS}"

    def find(self) -> str | None:
        linked = self._link.resolve()
        current = linked.name == self._folder.name and is_complete(linked)
        return f".venv, {linked.name}" if current else None

    def run(self, work: Work) -> None:
        if self._link.exists() and not self._link.is_symlink():
            raise SetupError(
                f"{work.label}: .venv should be a link that the set-up makes (got a folder of "
                "yours). Move it away and run this again."
            )
        if not is_complete(self._folder):
            install_environment(self._folder, [self.project.root / REQUIREMENTS], work)
        point_link(self._link, self._folder)

    @property
    def _folder(self) -> Path:
        return self.project.python_folder(REQUIREMENTS)

    @property
    def _link(self) -> Path:
        return self.project.root / ".venv"
