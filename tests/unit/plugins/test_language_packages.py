"""Which plugins the engine is told to load, from what is installed."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from plugins.language.options import Project
from plugins.language.packages.installed import Package, installed_packages, without_required
from plugins.language.packages.plugin_version import plugin_version
from plugins.language.packages.required import required_packages
from plugins.language.toolchains.resolve import resolve_toolchain


def package(name: str, plugin: dict[str, Any] | None, version: str = "1.2.3") -> Package:
    """Return an installed package."""
    return Package(name=name, version=version, plugin=plugin)


def required(*packages: Package) -> list[tuple[str, str, str]]:
    """Return name, version and server of what the engine is told."""
    found = required_packages(list(packages))
    assert {dependency.kind for dependency in found} <= {"resource"}
    return [(dependency.name, dependency.version, dependency.server) for dependency in found]


def test_a_plugin_file_names_the_plugin() -> None:
    plugin = {"resource": True, "name": "docker", "version": "5.2.0", "server": "github://x"}
    assert required(package("pulumi-docker", plugin)) == [("docker", "v5.2.0", "github://x")]


def test_what_a_plugin_file_leaves_out_comes_from_the_package() -> None:
    assert required(package("pulumi-notes", {"resource": True})) == [("notes", "v1.2.3", "")]


def test_a_package_named_like_a_provider_needs_its_plugin() -> None:
    assert required(package("pulumi-old", None)) == [("old", "v1.2.3", "")]


@pytest.mark.parametrize(
    "without",
    [
        package("pulumi-policy", None),
        package("pulumi-esc-sdk", None),
        package("pulumi-library", {"resource": False}),
        package("pulumi", None),
        package("requests", None),
        package("pulumi-local", None, version="1.0+mine"),
    ],
    ids=lambda found: found.name,
)
def test_a_package_without_plugin_needs_none(without: Package) -> None:
    assert required(without) == []


def test_a_parameterized_package_keeps_its_parameter() -> None:
    plugin = {
        "resource": True,
        "name": "terraform-provider",
        "version": "1.0.0",
        "parameterization": {"name": "notes", "version": "2.0.0", "value": "e30="},
    }
    (found,) = required_packages([package("pulumi-notes", plugin)])
    parameter = found.parameterization
    assert (parameter.name, parameter.version, parameter.value) == ("notes", "2.0.0", b"{}")
    assert not found.HasField("extension")


@pytest.mark.parametrize(
    ("python", "plugin"),
    [
        ("1", "1.0.0"),
        ("1.2.3", "1.2.3"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1.2.dev5", "1.2.0+dev5"),
        ("1!2.3", None),
        ("1.2.3+local", None),
        ("", None),
    ],
)
def test_a_package_version_is_a_plugin_version(python: str, plugin: str | None) -> None:
    assert plugin_version(python) == plugin


def test_packages_of_an_environment_are_found_with_their_plugin_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "pulumi_notes-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Metadata-Version: 2.1\nName: Pulumi_Notes\nVersion: 1.0\n"
        'Requires-Dist: parver>=0.2\nRequires-Dist: black; extra == "dev"\n'
    )
    plugin = {"resource": True, "name": "notes", "version": "1.0.0"}
    module = tmp_path / "Pulumi_Notes"
    module.mkdir()
    (module / "__init__.py").write_text("raise RuntimeError('only looked at')")
    (module / "pulumi-plugin.json").write_text(json.dumps(plugin))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    project = Project(root=tmp_path, program=tmp_path, virtualenv=sys.prefix)
    found = {package.name: package for package in installed_packages(resolve_toolchain(project))}
    assert found["pulumi-notes"] == Package(
        name="pulumi-notes", version="1.0", requires=frozenset({"parver"}), plugin=plugin
    )
    assert found["pulumi"].plugin is None


def test_packages_that_others_require_can_be_left_out() -> None:
    program = Package(name="app", version="1", requires=frozenset({"library", "app"}))
    library = Package(name="library", version="1")
    assert without_required([program, library]) == [program]
