"""Generated modules of the engine's protocol, without the rest of the Pulumi SDK.

Importing `pulumi` loads some hundred modules that only a program needs, and the engine waits for
the host at every command. The generated modules need only each other, so they are loaded below
bare parent packages, which are taken away again: a later `import pulumi` gets the real one.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from plugins.language.errors import LanguageError

_PARENTS = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


@contextmanager
def bare_sdk() -> Iterator[None]:
    """Inside, `pulumi.runtime.proto` can be imported and nothing of the SDK is executed.

    Raises
    ------
    LanguageError
        If this Python has no Pulumi SDK.
    """
    if "pulumi" in sys.modules:
        yield
        return
    sdk = _sdk_folder()
    sys.modules.update({name: _bare_package(name, sdk) for name in _PARENTS})
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "pulumi"]:
            del sys.modules[name]


def _sdk_folder() -> Path:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise LanguageError(
            f"{sys.executable}: should have the Python package pulumi (got none). "
            "Run the project's set-up again."
        )
    return Path(spec.submodule_search_locations[0])


def _bare_package(name: str, sdk: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(sdk.joinpath(*name.split(".")[1:]))]
    return package
