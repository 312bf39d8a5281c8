"""What doctor shows of a stack whose engine is not known."""

import argparse
import json
from typing import Any

import pytest

from operations import doctor, on_stack
from operations.stack import Stack
from tests.unit.operations.conftest import MakeStack
from toolchain.setup.atomic import write_file
from toolchain.setup.docker_cli import DockerCli

EDIT = "${EDITOR:-vi} Pulumi.mine.yaml && make up STACK=mine"


@pytest.mark.parametrize(
    ("text", "variables", "what", "command"),
    [
        (
            "config: [\n",
            {},
            "Pulumi.mine.yaml:2: should be YAML that Pulumi can read (got: expected the node "
            "content, but found '<stream end>'). Correct it.",
            EDIT,
        ),
        (
            "config: {docker:context: lab}\n",
            {},
            "docker:context: should be a Docker context (got 'lab'). Choose one of `docker "
            "context ls`.",
            EDIT,
        ),
        (
            "config: {}\n",
            {"DOCKER_CONTEXT": "lab"},
            "DOCKER_CONTEXT: should be a Docker context (got 'lab'). Choose one of `docker "
            "context ls`.",
            "docker context ls",
        ),
    ],
)
def test_settings_that_name_no_engine_are_found_beside_the_machine(
    text: str,
    variables: dict[str, str],
    what: str,
    command: str,
    make_stack: MakeStack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = make_stack("mine")
    home = {"HOME": str(given.root), "PULUMI_HOME": str(given.root / "pulumi")}
    stack = Stack("mine", {**given.environ, **home, **variables}, given.root)
    write_file(stack.file, text)
    info: dict[str, Any] = {"Driver": "overlay2"}
    monkeypatch.setattr(DockerCli, "info", lambda docker: info)
    monkeypatch.setattr(DockerCli, "ask", lambda docker, *words: None)
    monkeypatch.setattr(doctor, "list_steps", lambda project: [])
    monkeypatch.setattr(on_stack, "Stack", lambda name, environ: stack)
    options = argparse.Namespace(target="doctor", stack="mine", extra=[], json=True)
    assert on_stack.run(options) == 1
    answer = json.loads(capsys.readouterr().out)
    why = "which engine the stack runs on is not known without"
    assert answer["findings"] == [{"what": what, "why": why, "command": command}]
    assert answer["machine"]["storage driver"] == "overlay2"
