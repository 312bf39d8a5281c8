"""Lists the packages of the Python it runs in, as JSON on standard output.

One process instead of `pip list` and a second look at each package, and it reads the packages'
metadata itself: the standard library's reader takes longer to load than all there is to read.
Every Python that the Pulumi SDK supports can run it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

_METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
"""Folders beside a package, and the file in each that describes it (PEP 376, setuptools)."""

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def list_packages(places: list[str]) -> list[dict[str, Any]]:
    """Return each package's name, version, what it requires, and its `pulumi-plugin.json`.

    Parameters
    ----------
    places
        The module path; of packages found twice, the first counts, as in an import.
    """
    found: dict[str, dict[str, Any]] = {}
    for place in filter(os.path.isdir, places):
        for folder, file in _described_in(place):
            package = _read(place, folder, file)
            found.setdefault(package["name"], package)
    return list(found.values())


def _described_in(place: str) -> Iterator[tuple[str, str]]:
    for name in sorted(os.listdir(place)):
        file = _METADATA.get(os.path.splitext(name)[1])
        path = os.path.join(place, name)
        if file and os.path.isfile(os.path.join(path, file)):
            yield path, os.path.join(path, file)


def _read(place: str, folder: str, file: str) -> dict[str, Any]:
    fields = list(_fields(file))
    first = dict(reversed(fields))
    return {
        "name": first["Name"],
        "version": first["Version"],
        "requires": _requirements([value for name, value in fields if name == "Requires-Dist"]),
        "plugin": _plugin_file(place, folder, first["Name"].replace("-", "_")),
    }


def _fields(file: str) -> Iterator[tuple[str, str]]:
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                return  # the description follows
            name, _, value = line.partition(":")
            yield name, value.strip()


def _requirements(lines: list[str]) -> list[str]:
    always = [line for line in lines if "extra ==" not in line]
    return [match.group() for match in map(_REQUIREMENT.match, always) if match]


def _plugin_file(place: str, folder: str, module: str) -> dict[str, Any] | None:
    for package in _package_folders(place, folder, module):
        path = os.path.join(package, "pulumi-plugin.json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return None


def _package_folders(place: str, folder: str, module: str) -> list[str]:
    # Only a package installed from a folder (PEP 610) can be elsewhere than beside its metadata.
    if not os.path.exists(os.path.join(folder, "direct_url.json")):
        return [os.path.join(place, module)]
    import importlib.util

    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return []
    return list((spec and spec.submodule_search_locations) or [])


if __name__ == "__main__":
    # The folder of this file is no place of the environment's packages.
    print(json.dumps(list_packages(sys.path[1:])))
