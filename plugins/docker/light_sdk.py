"""Lets Pulumi's wire messages be imported without the whole SDK around them.

`import pulumi.runtime.proto` runs `pulumi/__init__.py` first, which takes three times as long as
everything else this provider needs at its start. Only for a process which imports nothing more of
`pulumi`.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def skip_package_start() -> None:
    """Register `pulumi` and `pulumi.runtime` as bare packages; no more than their folders."""
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.origin or "pulumi" in sys.modules:
        return
    folder = Path(found.origin).parent
    _register("pulumi", folder)
    _register("pulumi.runtime", folder / "runtime")


def _register(name: str, folder: Path) -> None:
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
