"""`pulumi-resource-pulumi-python`: dynamic providers, in the program's own Python.

The engine starts it with the project's runtime options as environment variables. The provider's
code was pickled by the program and refers to the program's modules, so it needs their Python.
"""

import os
import sys
from pathlib import Path

from plugins.language.environment import program_environment
from plugins.language.errors import LanguageError
from plugins.language.options import Project
from plugins.language.toolchains.base import Toolchain, nearest
from plugins.language.toolchains.resolve import resolve_toolchain


def program_toolchain(folder: Path) -> Toolchain:
    """Return the toolchain of the program in `folder`, from the engine's variables.

    Parameters
    ----------
    folder
        Where the engine starts providers: the program's folder.
    """
    variable = "PULUMI_RUNTIME_{}".format
    return resolve_toolchain(
        Project(
            root=nearest(folder, "Pulumi.yaml") or folder,
            program=folder,
            toolchain=os.environ.get(variable("TOOLCHAIN"), ""),
            virtualenv=os.environ.get(variable("VIRTUALENV"), ""),
        )
    )


def _main() -> None:
    try:
        toolchain = program_toolchain(Path.cwd())
        toolchain.require()
        command = [toolchain.python, "-u", "-m", "pulumi.dynamic", *sys.argv[1:]]
        os.execve(command[0], command, program_environment(toolchain.virtualenv))
    except LanguageError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    _main()
