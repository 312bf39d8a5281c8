"""Prints which packages of this Python have a Pulumi plugin, as the engine's protocol wants it."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

found = {}
for file in (file for place in sys.path for file in Path(place).glob("*/pulumi-plugin.json")):
    module = file.parent.name
    described = json.loads(file.read_text())
    # Of one found twice the first counts, as in an import.
    if described.get("resource") and module not in found:
        found[module] = {
            "name": described.get("name") or module.removeprefix("pulumi_").replace("_", "-"),
            "version": "v" + (described.get("version") or version(module)).lstrip("v"),
            "kind": "resource",
            "server": described.get("server", ""),
            "parameterization": described.get("parameterization"),
            "extension": described.get("extensionParameterization"),
        }
print(json.dumps({"packages": list(found.values())}))
