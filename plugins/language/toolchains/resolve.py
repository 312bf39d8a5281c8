"""Which toolchain a project has."""

from plugins.language.options import Project
from plugins.language.toolchains.base import Toolchain, nearest
from plugins.language.toolchains.pip import Pip
from plugins.language.toolchains.poetry import Poetry
from plugins.language.toolchains.uv import Uv

_BY_NAME: dict[str, type[Toolchain]] = {kind.name: kind for kind in (Pip, Uv, Poetry)}
_LOCK_FILES = {"uv.lock": Uv, "poetry.lock": Poetry}


def resolve_toolchain(project: Project) -> Toolchain:
    """Return the toolchain the options name; else the one whose lock file is there; else pip."""
    return _kind(project)(project)


def _kind(project: Project) -> type[Toolchain]:
    if project.toolchain:
        return _BY_NAME[project.toolchain]
    for name, kind in _LOCK_FILES.items():
        if nearest(project.program, name) is not None:
            return kind
    return Pip
