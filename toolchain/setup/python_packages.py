"""Python environments, one for each content of the requirements, kept in the cache."""

import shutil
import venv
from collections.abc import Sequence
from pathlib import Path

from toolchain.setup.errors import SetupError
from toolchain.setup.work import Work

_STAMP = "complete"


def is_complete(folder: Path) -> bool:
    """Whether everything was installed; an environment cannot be built aside and moved."""
    try:
        return (folder / _STAMP).exists()
    except PermissionError:
        return False


def install_environment(folder: Path, requirements: Sequence[Path], work: Work) -> None:
    """Make a Python environment in `folder` and install each file of requirements in turn."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work.show("making the environment")
    try:
        venv.create(folder, with_pip=True)
    except Exception as error:  # ensurepip is missing, or cannot run
        raise SetupError(
            f"{work.label}: python3 should be able to make environments (got: {error}). "
            "Install python3-venv and run this again."
        ) from None
    for file in requirements:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-r", str(file)]
        work.run(pip, on_line=lambda line: _show(line, work))
    (folder / _STAMP).touch()


def _show(line: str, work: Work) -> None:
    """Show pip's steps, each by its first words."""
    words = line.split()
    if words[:2] == ["Installing", "collected"]:
        work.show(f"installing {len(words) - 3} packages")
    elif words and words[0] in ("Collecting", "Downloading"):
        work.show(" ".join(words[:2]).lower())
