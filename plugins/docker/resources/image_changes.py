"""What an edit of `docker.Image` means: each difference is a rebuild, none a replacement."""

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.docker.values import join_path

# New credentials make no new image.
_IGNORED = frozenset({"registry.username", "registry.password"})


def changed_paths(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Paths that differ, each with `add`, `delete` or `update`, in order of names."""
    return list(_changes(old, new, ""))


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    if path in _IGNORED or old == new:
        return
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield path, "add" if old is None else "delete" if new is None else "update"
        return
    for key in sorted({*old, *new}):
        yield from _changes(old.get(key), new.get(key), join_path(path, key))
