"""Imports go down: no circles, and no arrow from a lower layer to an upper one."""

import ast
import graphlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Layers = Sequence[tuple[str, ...]]
Graph = Mapping[str, set[str]]

LAYERS: dict[str, Layers] = {
    "app": (
        (
            "config",
            "constants",
            "exceptions",
            "json_values",
            "metrics",
            "request_context",
            "revisions",
            "setting_rules",
            "settings",
            "yaml_text",
        ),
        ("logs", "openapi"),
        ("models",),
        ("schema",),
        ("storage",),
        ("services",),
        ("http",),
        ("web",),
        ("__init__", "__main__", "composition", "main", "migrate", "seed"),
    ),
    "infra": (
        ("__init__", "errors", "naming", "x509"),
        ("settings",),
        ("engine",),
        ("resources",),
        ("services",),
        ("preflight", "stack"),
    ),
}
"""For each package, its modules and packages from the lowest layer to the highest."""

FOREIGN_TO: dict[str, dict[str, tuple[str, ...]]] = {
    "app": {
        "fastapi": ("models", "openapi", "schema", "services", "storage"),
        "starlette": ("models", "openapi", "schema", "services", "storage"),
        "sqlalchemy": ("models", "openapi", "http", "web"),
        "redis": ("models", "openapi", "schema", "services", "http", "web"),
    },
    # The check of settings runs before every target, and these take half a second to import.
    "infra": {"docker": ("settings", "stack"), "pulumi": ("naming", "x509")},
}
"""Libraries, and the parts of a package that do not import them."""


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_has_a_layer(package: str) -> None:
    known = {part for layer in LAYERS[package] for part in layer}
    assert {_part(module) for module in _graph(package)} == known


@pytest.mark.parametrize("package", LAYERS)
def test_imports_have_no_circle(package: str) -> None:
    # Preparing the sorter raises CycleError, with the modules of the circle.
    graphlib.TopologicalSorter(_graph(package)).prepare()


@pytest.mark.parametrize("package", LAYERS)
def test_no_layer_imports_one_above_it(package: str) -> None:
    level = {part: number for number, layer in enumerate(LAYERS[package]) for part in layer}
    upward = [
        f"{module} imports {other}"
        for module, imported in _graph(package).items()
        for other in sorted(imported)
        if level[_part(module)] < level[_part(other)]
    ]
    assert upward == []


@pytest.mark.parametrize(
    ("package", "library"),
    [(package, library) for package in FOREIGN_TO for library in FOREIGN_TO[package]],
)
def test_library_stays_out_of_layers_that_have_no_use_for_it(package: str, library: str) -> None:
    parts = FOREIGN_TO[package][library]
    found = [
        module
        for module, path in _modules(package).items()
        if _part(module) in parts
        and any(name.split(".")[0] == library for name in _imports(module, path))
    ]
    assert found == []


def _modules(package: str) -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        is_package = names[-1] == "__init__" and len(names) > 2
        found[".".join(names[:-1] if is_package else names)] = path
    return found


def _graph(package: str) -> Graph:
    """The modules of a package, each with those that it imports anywhere in its text."""
    modules = _modules(package)
    return {
        module: {
            found
            for name in _imports(module, path)
            if (found := _longest_known(name, modules)) and found != module
        }
        for module, path in modules.items()
    }


def _imports(module: str, path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: should import by full names"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _longest_known(name: str, modules: Mapping[str, Path]) -> str | None:
    parts = name.split(".")
    candidates = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((candidate for candidate in candidates if candidate in modules), None)


def _part(module: str) -> str:
    """The package's module or folder that a module belongs to."""
    return module.split(".")[1]
