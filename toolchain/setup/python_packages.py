"""Python environments, one for each content of the requirements, kept in the cache."""

import os
import venv
from collections.abc import Sequence
from pathlib import Path

from toolchain.setup.errors import SetupError
from toolchain.setup.work import Work

_STAMP = "complete"


def is_complete(folder: Path) -> bool:
    """Whether everything was installed; an environment cannot be built aside and moved."""
    return os.path.exists(folder / _STAMP)


def install_environment(folder: Path, requirements: Sequence[Path], work: Work) -> None:
    """Make a Python environment in `folder` and install each file of requirements in turn."""
    work.show("making the environment")
    try:
        venv.create(folder, clear=True, with_pip=True)
    except Exception as error:  # ensurepip is missing, or cannot run
        raise SetupError(
            f"{work.label}: python3 should be able to make environments (got: {error}). "
            "Install python3-venv and run this again."
        ) from None
    for file in requirements:
        work.run([str(folder / "bin" / "python"), "-m", "pip", "install", "-r", str(file)])
    (folder / _STAMP).touch()
