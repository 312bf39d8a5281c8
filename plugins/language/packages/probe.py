"""Lists the packages of the Python it runs in, as JSON on standard output.

One process instead of `pip list` and a second look at each package. It imports nothing but the
standard library, and nothing of the packages it looks at. Every Python that the Pulumi SDK
supports can read it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from typing import Any

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def list_packages() -> list[dict[str, Any]]:
    """Return each package's name, version, what it requires, and its `pulumi-plugin.json`."""
    return [_describe(package) for package in importlib.metadata.distributions()]


def _describe(package: importlib.metadata.Distribution) -> dict[str, Any]:
    name = package.metadata["Name"]
    return {
        "name": name,
        "version": package.version,
        "requires": _requirements(package.requires or []),
        "plugin": _plugin_file(name.replace("-", "_")),
    }


def _requirements(lines: list[str]) -> list[str]:
    always = [line for line in lines if "extra ==" not in line]
    return [match.group() for match in map(_REQUIREMENT.match, always) if match]


def _plugin_file(module: str) -> dict[str, Any] | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    for folder in (spec and spec.submodule_search_locations) or []:
        path = os.path.join(folder, "pulumi-plugin.json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return None


if __name__ == "__main__":
    # The folder of this file is no place of the environment's packages.
    sys.path.pop(0)
    print(json.dumps(list_packages()))
