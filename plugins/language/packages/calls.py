"""The GetRequiredPackages and GetProgramDependencies calls."""

from typing import TYPE_CHECKING

from plugins.language.options import read_project
from plugins.language.packages.installed import installed_packages, without_required
from plugins.language.packages.required import required_packages
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.resolve import resolve_toolchain

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import (
        GetProgramDependenciesRequest,
        GetProgramDependenciesResponse,
        GetRequiredPackagesRequest,
        GetRequiredPackagesResponse,
    )


def required_by_program(request: "GetRequiredPackagesRequest") -> "GetRequiredPackagesResponse":
    """Return the Pulumi packages of the program's environment.

    Raises
    ------
    LanguageError
        If there is no such environment.
    """
    toolchain = resolve_toolchain(read_project(request.info))
    toolchain.require()
    packages = required_packages(installed_packages(toolchain))
    return language_pb2.GetRequiredPackagesResponse(packages=packages)


def program_dependencies(
    request: "GetProgramDependenciesRequest",
) -> "GetProgramDependenciesResponse":
    """Return the Python packages of the program's environment.

    Raises
    ------
    LanguageError
        If there is no such environment.
    """
    toolchain = resolve_toolchain(read_project(request.info))
    toolchain.require()
    packages = installed_packages(toolchain)
    if not request.transitiveDependencies:
        packages = without_required(packages)
    found = [
        language_pb2.DependencyInfo(name=package.name, version=package.version)
        for package in packages
    ]
    return language_pb2.GetProgramDependenciesResponse(dependencies=found)
