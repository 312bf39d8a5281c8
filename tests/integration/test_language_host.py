"""Programs, policy packs and providers in Python under the Pulumi CLI; no container is needed."""

import json
import signal
from pathlib import Path
from textwrap import dedent

import pulumi.automation
import pytest

from tests.support.language_project import RUNTIME, Workspace, succeeded
from tests.support.waiting import is_alive, wait_for

GREETING = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("greeting-1", dict(props))

class Greeting(Resource):
    value: pulumi.Output[str]

    def __init__(self, name, value):
        super().__init__(Provider(), name, {"value": value})

value = pulumi.Config().get_secret("value") or "hello"
pulumi.export("value", Greeting("greeting", value).value)
"""

WAITING = """
import os, threading
try:
    print(f"waiting in {os.getpid()} of {os.getppid()}")
    threading.Event().wait()
finally:
    open("cleaned-up", "w").close()
"""

WAITING_PROVIDER = """
import os, threading
from pulumi.dynamic import Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        with open("provider.part", "w") as file:
            file.write(str(os.getpid()))
        os.rename("provider.part", "provider.pid")
        threading.Event().wait()

class Waiting(Resource):
    pass

Waiting(Provider(), "waiting", {})
"""

NOTES_PROVIDER = """
import json, sys
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CheckResponse, CreateResponse, DiffResponse, GetSchemaResponse, Provider, ReadResponse,
)
from pulumi.provider.experimental.server import main

PROPERTIES = {"noteText": {"type": "string"}}
NOTE = {"inputProperties": PROPERTIES, "properties": PROPERTIES, "requiredInputs": ["noteText"]}
SCHEMA = {"name": "notes", "version": "1.0.0", "resources": {"notes:index:Note": NOTE}}
FOUND = {"noteText": PropertyValue('say "hi" for ${name}')}

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

main(sys.argv[1:], "1.0.0", Notes())
"""

NOTES_PROGRAM = """
import pulumi

class Note(pulumi.CustomResource):
    def __init__(self, text):
        super().__init__("notes:index:Note", "sign", {"noteText": text})

Note(pulumi.Config().get("text") or "please knock")
"""

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


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project without a program."""
    return Workspace(tmp_path)


@pytest.fixture
def notes(workspace: Workspace) -> Workspace:
    """A project with a provider `notes` that is written in Python."""
    workspace.write_project(plugins={"providers": [{"name": "notes", "path": "./plugin"}]})
    workspace.write("plugin/PulumiPlugin.yaml", json.dumps({"runtime": RUNTIME}))
    workspace.write("plugin/__main__.py", NOTES_PROVIDER)
    workspace.write("__main__.py", NOTES_PROGRAM)
    return workspace


def test_a_stack_lives_from_up_to_destroy(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING + "\nimport sys\nsys.exit(0)\n")
    succeeded(workspace.pulumi("config", "set", "--secret", "value", "open-sesame", "--stack=dev"))
    output = succeeded(workspace.up())
    assert "+ 2 created" in output
    assert "open-sesame" not in output
    assert "2 unchanged" in succeeded(workspace.up("--expect-no-changes"))
    succeeded(workspace.pulumi("preview", "--stack=dev", "--expect-no-changes"))
    succeeded(workspace.pulumi("refresh", "--yes", "--stack=dev", "--expect-no-changes"))
    assert "- 2 deleted" in succeeded(workspace.pulumi("destroy", "--yes", "--stack=dev"))


def test_an_error_shows_the_frames_of_the_user_alone(workspace: Workspace) -> None:
    program = workspace.write("__main__.py", "import helper\n\nhelper.parse('{')\n")
    helper = workspace.write(
        "helper.py", "import json\n\ndef parse(text):\n    return json.loads(text)\n"
    )
    assert workspace.up_error() == dedent(
        f"""\
        error: Program failed with an unhandled exception:
        Traceback (most recent call last):
          File "{program}", line 3, in <module>
            helper.parse('{{')
          File "{helper}", line 4, in parse
            return json.loads(text)
                   ^^^^^^^^^^^^^^^^
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: \
line 1 column 2 (char 1)"""
    )


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (
            "import pulumi\nraise pulumi.RunError('a: should be 1 (got 2). Change it.')",
            "error: a: should be 1 (got 2). Change it.",
        ),
        ("import sys\nsys.exit('nothing to deploy')", "error: nothing to deploy"),
        (
            "import sys\nsys.exit(3)",
            "error: an unhandled error occurred: program exited with non-zero exit code: 3",
        ),
    ],
)
def test_a_reported_error_is_its_message_alone(
    workspace: Workspace, program: str, error: str
) -> None:
    workspace.write("__main__.py", program)
    assert workspace.up_error() == error


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_program_and_host_end_with_the_engine(workspace: Workspace, end: signal.Signals) -> None:
    workspace.write("__main__.py", WAITING)
    engine = workspace.start("up", "--yes", "--skip-preview", "--stack=dev")
    assert engine.stdout is not None
    line = next(line for line in engine.stdout if "waiting in" in line)
    processes = [int(word) for word in line.split() if word.isdigit()]
    engine.send_signal(end)
    output = engine.communicate()[0]
    assert engine.returncode != 0
    assert "Traceback" not in output
    wait_for(lambda: not any(map(is_alive, processes)))
    assert (workspace.folder / "cleaned-up").exists()


def test_a_dynamic_provider_ends_with_its_engine(workspace: Workspace) -> None:
    workspace.write("__main__.py", WAITING_PROVIDER)
    engine = workspace.start("up", "--yes", "--skip-preview", "--stack=dev")
    written = workspace.folder / "provider.pid"
    wait_for(written.exists)
    provider = int(written.read_text())
    engine.kill()
    engine.communicate()
    wait_for(lambda: not is_alive(provider))


def test_the_automation_api_runs_a_local_program(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write("__main__.py", GREETING)
    for name, value in workspace.environment.items():
        monkeypatch.setenv(name, value)
    stack = pulumi.automation.select_stack("dev", work_dir=str(workspace.folder))
    assert stack.up().outputs["value"].value == "hello"
    assert stack.preview().change_summary == {pulumi.automation.OpType.SAME: 2}


def test_a_policy_pack_refuses_a_resource_of_a_provider_in_python(notes: Workspace) -> None:
    pack = notes.write("pack/PulumiPolicy.yaml", json.dumps({"runtime": RUNTIME})).parent
    notes.write("pack/__main__.py", POLICY_PACK)
    assert "+ 2 created" in succeeded(notes.up("--policy-pack", str(pack)))
    succeeded(notes.pulumi("config", "set", "text", "keep out", "--stack=dev"))
    done = notes.up("--policy-pack", str(pack))
    assert done.returncode != 0
    assert "[mandatory]  polite  (notes:index:Note: sign)" in done.stdout
    assert "stack dev of greeter says please" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_import_ends_with_python_code(notes: Workspace) -> None:
    what = ("notes:index:Note", "my-note", "7")
    output = succeeded(notes.pulumi("import", "--yes", "--stack=dev", "--skip-preview", *what))
    _, start, code = output.partition("import pulumi\n")
    assert (start + code).strip() == dedent(
        """\
        import pulumi
        import pulumi_notes as notes

        my_note = notes.Note("my-note", note_text="say \\"hi\\" for ${name}",
        opts = pulumi.ResourceOptions(protect=True))"""
    )


def test_a_conversion_ends_with_a_python_project(workspace: Workspace) -> None:
    workspace.write("source/Pulumi.yaml", "{name: greeter, runtime: yaml}")
    workspace.write("source/main.pp", 'output "text" { value = "please knock" }')
    options = ("--from=pcl", "--language=python", "--generate-only", "--cwd=source")
    succeeded(workspace.pulumi("convert", *options, "--out=../converted"))
    program = (workspace.folder / "converted" / "__main__.py").read_text()
    assert program == 'import pulumi\n\npulumi.export("text", "please knock")\n'
