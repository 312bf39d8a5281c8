"""The option `typechecker`: mypy or pyright before every run."""

import subprocess

from plugins.language.children import Children
from plugins.language.errors import LanguageError
from plugins.language.options import Project
from plugins.language.toolchains.base import Toolchain


def check_types(project: Project, toolchain: Toolchain, children: Children) -> None:
    """Check the program's types when Pulumi.yaml wants it.

    Raises
    ------
    LanguageError
        If the checker finds a mistake, with its report, or is not installed.
    """
    if not project.typechecker:
        return
    process = children.start(
        _command(project, toolchain),
        folder=project.program,
        environment=toolchain.environment(),
        output=subprocess.PIPE,
        errors=subprocess.STDOUT,
    )
    report = process.communicate()[0].decode(errors="replace").strip()
    if children.wait(process):
        raise LanguageError(
            f"{project.program}: {project.typechecker} should find no mistake (got those below). "
            "Correct them, or leave out Pulumi.yaml:runtime.options.typechecker.\n" + report
        )


def _command(project: Project, toolchain: Toolchain) -> list[str]:
    command = [toolchain.python, "-m", project.typechecker]
    if project.typechecker == "mypy" and toolchain.virtualenv is not None:
        command += ["--exclude", toolchain.virtualenv.name]
    return [*command, str(project.program)]
