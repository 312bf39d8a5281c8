"""What doctor shows of a machine, and of a stack whose engine is not known."""

import argparse
import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.errors import UserError
from operations import doctor, on_stack
from operations.stack import Stack
from tests.unit.operations.conftest import MakeStack
from toolchain.setup.atomic import write_file
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps.docker_engine import DockerEngine

EDIT = "${EDITOR:-vi} Pulumi.mine.yaml && make up STACK=mine"


class FakeDocker(DockerCli):
    """An engine with two containers and a volume of one stack, and a volume of another."""

    def info(self) -> dict[str, Any]:
        return {"Driver": "overlay2", "SecurityOptions": ["name=userns", "name=seccomp"]}

    def address(self) -> str:
        return "tcp://engine:2376"

    def ask(self, *arguments: str) -> str | None:
        return {"ps": "dev\ndev", "volume": "dev\nold"}.get(arguments[0])


@pytest.fixture
def findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """What doctor prints by its parts and its exit code, on a machine with these steps."""
    monkeypatch.setattr(doctor, "DockerCli", FakeDocker)

    def find(*steps: Any) -> tuple[dict[str, str], int]:
        monkeypatch.setattr(doctor, "list_steps", lambda project: steps)
        project = Project(ROOT, {"HOME": str(tmp_path)})
        state = project.places.state / ".pulumi" / "stacks" / "devportal" / "dev.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text("{}")
        code = doctor.print_findings(project)
        parts, _, shown = capsys.readouterr().out.partition("\n\n")
        found = {line[:16].strip(): line[16:].strip() for line in parts.splitlines()}
        return {**found, "shown": shown}, code

    return find


def test_doctor_names_stacks_whose_state_is_elsewhere(findings: Any, tmp_path: Path) -> None:
    found, code = findings()
    assert found["stack dev"] == "2 containers, 1 volumes"
    assert found["stack old"] == (
        f"1 volumes; its state is not under {tmp_path}/.local/share/devportal/state/.pulumi/"
        "stacks/devportal"
    )
    assert found["user namespaces"] == "on"
    assert (found["shown"], code) == ("this machine: nothing found\n", 0)


@pytest.mark.parametrize(
    ("answer", "error", "shown", "code"),
    [
        ("ours", None, "ours", 0),
        (None, None, "missing; `make up` gets it", 0),
        (None, UserError("part: should answer."), "see below", 1),
    ],
)
def test_doctor_shows_of_each_part_where_it_came_from(
    answer: str | None, error: Exception | None, shown: str, code: int, findings: Any
) -> None:
    step = MagicMock(find=MagicMock(return_value=answer, side_effect=error), after=())
    later = MagicMock(find=MagicMock(return_value=answer), after=("part",))
    step.name, later.name = "part", "later part"
    found, ended = findings(step, later)
    assert (found["part"], ended) == (shown, code)
    assert found["later part"] == ("not known without the part" if error else shown)


def test_doctor_agrees_with_up_about_an_engine_that_does_not_answer(
    findings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_step: DockerEngine) -> None:
        raise UserError("docker engine: should answer. Start it.")

    monkeypatch.setattr(DockerEngine, "find", lambda step: None)
    monkeypatch.setattr(DockerEngine, "refuse_elsewhere", refuse)
    found, code = findings(DockerEngine(Project()))
    assert (found["docker engine"], code) == ("see below", 1)
    assert found["shown"] == (
        "docker engine: should answer. Start it.\n"
        "    why  `make up` needs it, and cannot get it by itself\n"
        "    run  make setup\n"
    )


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
    monkeypatch.setattr(doctor, "DockerCli", FakeDocker)
    monkeypatch.setattr(doctor, "list_steps", lambda project: [])
    monkeypatch.setattr(on_stack, "Stack", lambda name, environ: stack)
    options = argparse.Namespace(target="doctor", stack="mine", extra=[], json=True)
    assert on_stack.run(options) == 1
    answer = json.loads(capsys.readouterr().out)
    why = "which engine the stack runs on is not known without"
    assert answer["findings"] == [{"what": what, "why": why, "command": command}]
    assert answer["machine"]["storage driver"] == "overlay2"
