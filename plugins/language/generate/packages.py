"""Where a Pulumi package has its classes in Python."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.language.generate.names import snake_case

_MODULE_FORMAT = "(.*)(?:/[^/]*)"
"""How most packages write their modules: `index/container` is the module `index`."""


@dataclass(frozen=True)
class PythonPackage:
    """The Python side of one Pulumi package."""

    name: str
    module: str
    """What to import."""
    module_format: str = _MODULE_FORMAT
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Modules that have another name in Python."""

    @property
    def alias(self) -> str:
        """The name it is imported as."""
        return snake_case(self.name)

    def class_path(self, token: str) -> str:
        """Return the expression for the class of a type token, `package:module:Name`."""
        _, module, name = token.split(":", 2)
        parts = [self.alias, *self._module_path(module), name]
        return ".".join(parts)

    def _module_path(self, module: str) -> list[str]:
        match = re.fullmatch(self.module_format, module)
        found = match[1] if match and match.groups() else module
        found = self.overrides.get(found, found)
        return [snake_case(part) for part in re.split(r"[/.]", found) if part not in ("", "index")]


def read_package(name: str, schema: Mapping[str, Any]) -> PythonPackage:
    """Read what a package's schema says of Python; the rest is as most packages have it."""
    python = schema.get("language", {}).get("python", {})
    return PythonPackage(
        name=name,
        module=python.get("packageName") or f"pulumi_{snake_case(name)}",
        module_format=schema.get("meta", {}).get("moduleFormat") or _MODULE_FORMAT,
        overrides=python.get("moduleNameOverrides") or {},
    )
