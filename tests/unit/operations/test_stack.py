"""What a stack's settings file says, the file of a new stack, and which passphrase opens which."""

from pathlib import Path

import pytest
import yaml

from infra.settings import PortSettings
from operations.arguments import names_engine
from operations.deployment import Deployment
from operations.passphrase import check_passphrase
from operations.stack import Stack, create_file
from tests.support.refusals import refusal
from tests.unit.operations.conftest import MakeStack, given, write_state
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, False),
        ("config:\n", False),
        ("config:\n  devportal:environment: development # production\n", False),
        ("config:\n  devportal:environment: production\n", True),
    ],
)
def test_stack_is_production_by_its_settings_not_by_its_name(
    make_stack: MakeStack, text: str | None, expected: bool
) -> None:
    stack = make_stack("live")
    if text is not None:
        write_file(stack.file, text)
    assert stack.is_production is expected


@pytest.mark.parametrize(
    ("project", "own", "settings", "named"),
    [
        ("{}", "{a: docker}", {}, False),
        ("{docker:host: {value: tcp://a:1}}", "{}", {"docker:host": "tcp://a:1"}, True),
        ("{docker:host: {default: tcp://a:1}}", "{}", {"docker:host": "tcp://a:1"}, True),
        ("{docker:host: tcp://a:1}", "{docker:host: no}", {"docker:host": "no"}, True),
        ("{}", "{} # not docker:context", {}, True),
    ],
)
def test_engine_of_the_project_is_that_of_its_stacks(
    make_stack: MakeStack, project: str, own: str, settings: dict[str, str], named: bool
) -> None:
    stack = make_stack("mine")
    write_file(stack.root / "Pulumi.yaml", f"config: {project}\n")
    write_file(stack.file, f"config: {own}\n")
    assert stack.engine_settings == settings
    assert names_engine(stack.root, "mine") is named


@pytest.mark.parametrize(
    ("variables", "reload", "said"),
    [({}, True, ""), ({"CI": "true"}, False, " and, as CI is set, app.reload false")],
)
def test_new_stack_gets_the_settings_and_the_salt_of_dev_on_free_ports(
    make_stack: MakeStack,
    variables: dict[str, str],
    reload: bool,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = given(make_stack("mine"), **variables)
    template = stack.root / "Pulumi.dev.yaml"
    write_file(template, f"encryptionsalt: v1:x\n{template.read_text()}")
    create_file(stack)
    assert capsys.readouterr().out == (
        "Pulumi.mine.yaml: new, with the settings of Pulumi.dev.yaml and every port 0"
        f"{said}: free ports are chosen, and `make output STACK=mine` lists them\n"
    )
    made, expected = (yaml.safe_load(file.read_text()) for file in (stack.file, template))
    ports = set(PortSettings.model_fields) - {"bind_address"}
    expected["config"]["devportal:ports"] = dict.fromkeys(ports, 0)
    expected["config"]["devportal:app"]["reload"] = reload
    assert made == expected


def test_existing_stack_file_is_never_written(make_stack: MakeStack) -> None:
    stack = make_stack("mine")
    write_file(stack.file, "config: {}\n")
    create_file(stack)
    assert stack.file.read_text() == "config: {}\n"


@pytest.mark.parametrize(("mode", "is_there"), [("none", False), ("swarm", True)])
def test_file_tells_whether_a_stack_is_on_a_swarm(
    make_stack: MakeStack, mode: str, is_there: bool
) -> None:
    stack = make_stack("live")
    write_file(stack.file, f"config: {{devportal:cluster: {{mode: {mode}}}}}")
    assert stack.is_on_swarm == is_there


@pytest.mark.parametrize(
    ("environ", "got"),
    [
        ({"PULUMI_CONFIG_PASSPHRASE": ""}, "none"),
        (
            {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
            "development's, which everyone knows",
        ),
    ],
)
def test_production_wants_a_passphrase_of_its_own(
    environ: dict[str, str], got: str, tmp_path: Path
) -> None:
    assert refusal(check_passphrase, Stack("prod", environ, tmp_path)) == (
        f"stack prod: production should have a passphrase of its own (got {got}). Write "
        "one into .secrets/prod.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again."
    )


def test_passphrase_in_a_file_opens_production(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    production = Stack("prod", {"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}, tmp_path)
    assert refusal(check_passphrase, production) == (
        f"PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read (got '{file}': No such "
        "file or directory). Set it to the file with the passphrase."
    )
    file.write_bytes(b"\xff\0")
    assert refusal(check_passphrase, production) == (
        f"PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read (got '{file}': no text). "
        "Set it to the file with the passphrase."
    )
    write_file(file, "of our own\n")
    check_passphrase(production)


def test_passphrase_of_another_stack_is_named_after_the_failure(stack: Stack) -> None:
    write_state(stack)
    write_file(stack.root / "ends", "echo 'error: incorrect passphrase' >&2; exit 255\n")
    assert refusal(Deployment(stack).run, "output") == (
        "stack dev: PULUMI_CONFIG_PASSPHRASE should be the passphrase of its secrets (got "
        "another). Set it to that one."
    )


@pytest.mark.parametrize("given", [{}, {"PULUMI_CONFIG_PASSPHRASE": "of another stack"}])
def test_each_stack_has_its_own_passphrase_in_one_shell(
    stack: Stack, given: dict[str, str]
) -> None:
    write_file(stack.root / "Pulumi.dev.yaml", "encryptionsalt: v1:of-the-template\n")
    write_file(stack.root / "Pulumi.mine.yaml", "encryptionsalt: v1:of-the-template\n")
    write_file(stack.root / ".secrets" / "prod.passphrase", "of our own\n")
    chosen = {
        name: Stack(name, given, stack.root).pulumi_environ
        for name in ("dev", "mine", "prod", "other")
    }
    assert chosen == {
        "dev": {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
        "mine": {"PULUMI_CONFIG_PASSPHRASE": DEVELOPMENT_PASSPHRASE},
        "prod": {"PULUMI_CONFIG_PASSPHRASE_FILE": f"{stack.root}/.secrets/prod.passphrase"},
        "other": given,
    }
