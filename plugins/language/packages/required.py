"""Which Pulumi packages a program needs, and so which plugins the engine loads."""

import base64
from typing import TYPE_CHECKING, Any

from plugins.language.packages.installed import Package
from plugins.language.packages.plugin_version import plugin_version
from plugins.language.protocol import plugin_pb2

if TYPE_CHECKING:
    from pulumi.runtime.proto.plugin_pb2 import PackageDependency, PackageParameterization

WITHOUT_PLUGIN = frozenset({"pulumi-policy", "pulumi-esc-sdk"})
"""Packages named like a provider's that have no plugin; they do not say so themselves."""


def required_packages(installed: list[Package]) -> list["PackageDependency"]:
    """Return what the engine has to load for the packages of an environment.

    A package counts when it has a `pulumi-plugin.json`, or when its name starts with `pulumi-`:
    very old ones have no such file.
    """
    found = [_dependency(package) for package in installed if _is_pulumi_package(package)]
    return [dependency for dependency in found if dependency is not None]


def _is_pulumi_package(package: Package) -> bool:
    if package.name in WITHOUT_PLUGIN:
        return False
    return package.plugin is not None or package.name.startswith("pulumi-")


def _dependency(package: Package) -> "PackageDependency | None":
    plugin = package.plugin
    if plugin is not None and not plugin.get("resource"):
        return None
    plugin = plugin or {}
    version = plugin.get("version") or plugin_version(package.version)
    if version is None:
        return None
    return plugin_pb2.PackageDependency(
        name=plugin.get("name") or package.name.removeprefix("pulumi-"),
        version=version if version.startswith("v") else f"v{version}",
        kind="resource",
        server=plugin.get("server", ""),
        parameterization=_parameterization(plugin.get("parameterization")),
        extension=_parameterization(plugin.get("extensionParameterization")),
    )


def _parameterization(found: dict[str, Any] | None) -> "PackageParameterization | None":
    if not found:
        return None
    return plugin_pb2.PackageParameterization(
        name=found.get("name", ""),
        version=found.get("version", ""),
        value=base64.b64decode(found.get("value", "")),
    )
