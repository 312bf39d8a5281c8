"""Resources of a PCL file as Python source."""

import json
from collections.abc import Iterator, Mapping

from plugins.language.errors import LanguageError
from plugins.language.generate.names import snake_case
from plugins.language.generate.packages import PythonPackage
from plugins.language.generate.pcl import Block, Call, Expression, List, Object, Reference

_INDENT = "    "

_FUNCTIONS = {
    "secret": "pulumi.Output.secret",
    "fileAsset": "pulumi.FileAsset",
    "stringAsset": "pulumi.StringAsset",
    "remoteAsset": "pulumi.RemoteAsset",
    "fileArchive": "pulumi.FileArchive",
    "remoteArchive": "pulumi.RemoteArchive",
    "assetArchive": "pulumi.AssetArchive",
}

PROVIDER_TYPE = "pulumi:providers:"
"""Type tokens of explicit providers start with it; the package's name follows."""


def write_program(resources: list[Block], packages: Mapping[str, PythonPackage]) -> str:
    """Return a program that declares resources, each after those it refers to.

    Parameters
    ----------
    resources
        Blocks `resource name "type"`.
    packages
        The packages of their types, by name.
    """
    used = {package_name(block.labels[1]) for block in resources}
    imports = ["import pulumi"]
    imports += [_import(packages[name]) for name in sorted(used)]
    declared = [_declaration(block, packages) for block in in_order(resources)]
    return "\n".join(imports) + "\n\n" + "\n".join(declared)


def package_name(token: str) -> str:
    """Return the package of a type token."""
    return token.removeprefix(PROVIDER_TYPE).split(":", 1)[0]


def in_order(resources: list[Block]) -> list[Block]:
    """Order resources so that each comes after those it refers to; a circle stays as it is."""
    by_name = {block.labels[0]: block for block in resources}
    placed: dict[str, Block] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in placed or name in above or name not in by_name:
            return
        for reference in _references(by_name[name]):
            place(reference, above | {name})
        placed[name] = by_name[name]

    for name in by_name:
        place(name, frozenset())
    return list(placed.values())


def _references(block: Block) -> Iterator[str]:
    for expression in block.attributes.values():
        yield from _references_in(expression)
    for inner in block.blocks:
        yield from _references(inner)


def _references_in(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Reference):
        yield expression.path[0]
    elif isinstance(expression, List):
        for item in expression.items:
            yield from _references_in(item)
    elif isinstance(expression, Object):
        for _, item in expression.items:
            yield from _references_in(item)
    elif isinstance(expression, Call):
        for item in expression.arguments:
            yield from _references_in(item)


def _import(package: PythonPackage) -> str:
    return f"import {package.module} as {package.alias}"


def _declaration(block: Block, packages: Mapping[str, PythonPackage]) -> str:
    name, token = block.labels
    package = packages[package_name(token)]
    is_provider = token.startswith(PROVIDER_TYPE)
    kind = f"{package.alias}.Provider" if is_provider else package.class_path(token)
    attributes = dict(block.attributes)
    arguments = [_expression(attributes.pop("__logicalName", name), 1)]
    arguments += [f"{snake_case(key)}={_expression(value, 1)}" for key, value in attributes.items()]
    arguments += [f"opts={_options(inner)}" for inner in block.blocks if inner.kind == "options"]
    return f"{snake_case(name)} = {kind}(\n{_lines(arguments, 1)})\n"


def _options(block: Block) -> str:
    options = [
        f"{snake_case(name)}={_property_paths(value) if name == 'ignoreChanges' else value_text}"
        for name, value in block.attributes.items()
        for value_text in [_expression(value, 2)]
    ]
    return f"pulumi.ResourceOptions(\n{_lines(options, 2)}{_INDENT})"


def _property_paths(expression: Expression) -> str:
    assert isinstance(expression, List)
    paths = [
        ".".join(item.path) if isinstance(item, Reference) else item for item in expression.items
    ]
    return json.dumps(paths)


def _expression(expression: Expression, depth: int) -> str:
    if isinstance(expression, List):
        items = [_expression(item, depth + 1) for item in expression.items]
        return f"[\n{_lines(items, depth + 1)}{_INDENT * depth}]" if items else "[]"
    if isinstance(expression, Object):
        items = [
            f"{_text(key.text if key.quoted else snake_case(key.text))}: "
            f"{_expression(value, depth + 1)}"
            for key, value in expression.items
        ]
        return f"{{\n{_lines(items, depth + 1)}{_INDENT * depth}}}" if items else "{}"
    if isinstance(expression, Reference):
        return ".".join(map(snake_case, expression.path))
    if isinstance(expression, Call):
        return _call(expression, depth)
    return _text(expression) if isinstance(expression, str) else repr(expression)


def _call(call: Call, depth: int) -> str:
    if call.function not in _FUNCTIONS:
        raise LanguageError(
            f"the imported resources: should call no function but {', '.join(_FUNCTIONS)} "
            f"(got {call.function}). Run `pulumi import --generate-code=false`."
        )
    arguments = ", ".join(_expression(argument, depth) for argument in call.arguments)
    return f"{_FUNCTIONS[call.function]}({arguments})"


def _lines(items: list[str], depth: int) -> str:
    return "".join(f"{_INDENT * depth}{item},\n" for item in items)


def _text(value: str) -> str:
    # Every JSON string is a Python string of the same value.
    return json.dumps(value, ensure_ascii=False)
