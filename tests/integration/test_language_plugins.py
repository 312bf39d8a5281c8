"""Policy packs and providers written in Python, run by our language host."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.language_project import Workspace, install_toolchain, runtime, succeeded

SIGN_PROGRAM = """
import pulumi

class Sign(pulumi.CustomResource):
    def __init__(self, text):
        super().__init__("notes:index/note:Note", "sign", {"noteText": text})

Sign(pulumi.Config().get("text") or "please knock")
"""


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CLI with this tree's language host."""
    return install_toolchain(tmp_path_factory.mktemp("toolchain"))


@pytest.fixture
def workspace(tmp_path: Path, toolchain: Path) -> Iterator[Workspace]:
    """A project with a stack `dev` and no program."""
    workspace = Workspace(tmp_path, toolchain)
    yield workspace
    workspace.close()


NOTES_PROVIDER = """
import json, sys
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CheckResponse, CreateResponse, DiffResponse, GetSchemaResponse, Provider, ReadResponse,
)
from pulumi.provider.experimental.server import main

PROPERTIES = {
    "noteText": {"type": "string"},
    "lineCount": {"type": "integer"},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "placeOnWall": {"$ref": "#/types/notes:index/place:Place"},
}
PLACE = {"type": "object", "properties": {"wallName": {"type": "string"}}}
SCHEMA = {
    "name": "notes",
    "version": "1.0.0",
    "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
    "types": {"notes:index/place:Place": PLACE},
    "resources": {"notes:index/note:Note": {
        "inputProperties": PROPERTIES, "properties": PROPERTIES, "requiredInputs": ["noteText"],
    }},
}
FOUND = {
    "noteText": PropertyValue('say "hi" for ${name}'),
    "lineCount": PropertyValue(1.0),
    "labels": PropertyValue({"wallColor": PropertyValue("red")}),
    "placeOnWall": PropertyValue({"wallName": PropertyValue("north")}),
}

class Notes(Provider):
    async def get_schema(self, request):
        return GetSchemaResponse(schema=json.dumps(SCHEMA))

    async def check(self, request):
        return CheckResponse(inputs=request.new_inputs)

    async def diff(self, request):
        return DiffResponse(changes=False)

    async def create(self, request):
        return CreateResponse(resource_id="note-1", properties=request.properties)

    async def read(self, request):
        return ReadResponse(resource_id=request.resource_id, properties=FOUND, inputs=FOUND)

    async def delete(self, request):
        pass

main(sys.argv[1:], "1.0.0", Notes())
"""

NOTES_PROGRAM = """
import pulumi

class Note(pulumi.CustomResource):
    noteText: pulumi.Output[str]

    def __init__(self, name, text):
        super().__init__("notes:index/note:Note", name, {"noteText": text})

pulumi.export("text", Note("note", "remember").noteText)
"""


@pytest.fixture
def notes(workspace: Workspace) -> Workspace:
    """A project with a provider `notes` that is written in Python."""
    workspace.write_plugin("notes")
    workspace.write("plugin/__main__.py", NOTES_PROVIDER)
    return workspace


def test_a_provider_written_in_python_serves_resources(notes: Workspace) -> None:
    notes.write("__main__.py", NOTES_PROGRAM)
    output = succeeded(notes.up())
    assert "+ 2 created" in output
    assert 'text: "remember"' in output
    assert "- 2 deleted" in succeeded(notes.pulumi("destroy", "--yes", "--stack=dev"))


def test_a_policy_pack_refuses_a_resource(notes: Workspace) -> None:
    notes.write("__main__.py", SIGN_PROGRAM)
    pack = notes.write("pack/PulumiPolicy.yaml", json.dumps({"runtime": runtime(sys.prefix)}))
    notes.write("pack/__main__.py", POLICY_PACK)
    assert "+ 2 created" in succeeded(notes.up("--policy-pack", str(pack.parent)))
    succeeded(notes.pulumi("config", "set", "text", "keep out", "--stack=dev"))
    done = notes.up("--policy-pack", str(pack.parent))
    assert done.returncode != 0
    assert "[mandatory]  polite  (notes:index:Note: sign)" in done.stdout
    assert "stack dev of greeter says please" in done.stdout
    assert "Traceback" not in done.stdout
    assert "GOAWAY" not in done.stdout


POLICY_PACK = """
import pulumi
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def polite(arguments, report):
    if not arguments.props.get("noteText", "please").startswith("please"):
        report(f"stack {pulumi.get_stack()} of {pulumi.get_project()} says please")

PolicyPack("manners", [ResourceValidationPolicy(
    name="polite", description="Be polite.", validate=polite,
    enforcement_level=EnforcementLevel.MANDATORY,
)])
"""


def test_an_import_ends_with_python_code(notes: Workspace) -> None:
    notes.write("__main__.py", "")
    what = ("notes:index/note:Note", "my-note", "7")
    output = succeeded(notes.pulumi("import", "--yes", "--stack=dev", "--skip-preview", *what))
    _, start, code = output.partition("import pulumi\n")
    assert start + code == dedent(
        """\
        import pulumi
        import pulumi_notes as notes

        my_note = notes.Note(
            "my-note",
            labels={
                "wallColor": "red",
            },
            line_count=1,
            note_text="say \\"hi\\" for ${name}",
            place_on_wall={
                "wall_name": "north",
            },
            opts=pulumi.ResourceOptions(
                protect=True,
            ),
        )
        """
    )
    succeeded(notes.pulumi("state", "unprotect", "--all", "--yes", "--stack=dev"))


def test_a_plugin_of_components_is_run_as_a_package(workspace: Workspace) -> None:
    workspace.write_plugin("walls")
    workspace.write(
        "plugin/pyproject.toml",
        '[project]\nname = "walls"\nversion = "1.0.0"\n[build-system]\nrequires = []\n',
    )
    workspace.write("plugin/walls/__init__.py", WALLS_COMPONENT)
    # What `pulumi install` does with a package; installing it would change the tests' own Python.
    workspace.environment["PYTHONPATH"] = str(workspace.folder / "plugin")
    workspace.write("__main__.py", WALLS_PROGRAM)
    assert 'color: "red"' in succeeded(workspace.up())


WALLS_COMPONENT = """
from typing import TypedDict

import pulumi

class WallArgs(TypedDict):
    color: pulumi.Input[str]

class Wall(pulumi.ComponentResource):
    color: pulumi.Output[str]

    def __init__(self, name: str, args: WallArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("walls:index:Wall", name, {}, opts)
        self.color = pulumi.Output.from_input(args["color"])
        self.register_outputs({"color": self.color})
"""

WALLS_PROGRAM = """
import pulumi

class Wall(pulumi.ComponentResource):
    color: pulumi.Output[str]

    def __init__(self, name, color):
        super().__init__(
            "walls:index:Wall", name, {"color": color}, pulumi.ResourceOptions(), True
        )

pulumi.export("color", Wall("wall", "red").color)
"""
