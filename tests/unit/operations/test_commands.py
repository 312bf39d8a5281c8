"""What the make targets refuse, create and run."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from infra.settings import loading as settings
from toolchain.setup.atomic import write_file
from toolchain.setup.console import Console
from toolchain.setup.project import ROOT, Project
from operations import __main__ as command_line
from operations import stack_commands
from operations.errors import CommandError
from operations.passphrase import check_passphrase
from operations.stack_commands import StackCommand, has_state
from operations.stack_file import (
    NAME_PATTERN,
    PORTS,
    check_name,
    create_missing,
    is_production,
    render_development,
)

MACHINE_FILE = Path("/home/x/.local/share/devportal/passphrase")
CHECK_OF_THE_PASSPHRASE = "stack --stack dev --non-interactive\n"
NO_PASSPHRASE = (
    "stack prod: the secrets of production should be under a passphrase of yours (got none). "
    "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE and run this again."
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder with the stack files of this one."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        write_file(tmp_path / name, (ROOT / name).read_text())
    return tmp_path


def command(root: Path, stack: str, *, interactive: bool = False) -> StackCommand:
    project = Project(root, {"HOME": str(root / "home")})
    return StackCommand(project, Console(io.StringIO()), stack, interactive=interactive)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"PULUMI_CONFIG_PASSPHRASE": ""},
        {"PULUMI_CONFIG_PASSPHRASE_FILE": str(MACHINE_FILE)},
    ],
    ids=["nothing", "an empty one", "the machine's"],
)
def test_production_wants_a_passphrase_of_the_users_own(environ: dict[str, str]) -> None:
    with pytest.raises(CommandError) as error:
        check_passphrase(environ, "prod", machine_file=MACHINE_FILE)
    assert str(error.value) == NO_PASSPHRASE


def test_passphrase_file_that_cannot_be_read_is_named() -> None:
    environ = {"PULUMI_CONFIG_PASSPHRASE_FILE": "/no/such/file"}
    with pytest.raises(CommandError) as error:
        check_passphrase(environ, "prod", machine_file=MACHINE_FILE)
    assert str(error.value) == (
        "PULUMI_CONFIG_PASSPHRASE_FILE: should name a file you can read "
        "(got '/no/such/file': No such file or directory). Set it to the file with the passphrase."
    )


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_passphrase_of_another_stack_is_told_after_the_failure(tmp_path: Path, name: str) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(
        "#!/bin/sh\necho 'error: failed to decrypt: incorrect passphrase' >&2\nexit 255\n"
    )
    pulumi.chmod(0o755)
    with pytest.raises(CommandError) as error:
        command(tmp_path, "mine").run(["preview"], {"PATH": f"{tmp_path}:/bin", name: "x"})
    assert str(error.value) == (
        f"stack mine: {name} should give the passphrase that its secrets are under (got another). "
        "Set it to that one; unset it where the set-up's own is meant."
    )


def test_production_without_a_passphrase_changes_nothing(root: Path) -> None:
    with pytest.raises(CommandError) as error:
        command(root, "prod").prepare()
    assert str(error.value) == NO_PASSPHRASE
    assert not (root / "home").exists()


def test_stack_is_production_by_its_settings_not_by_its_name(root: Path) -> None:
    write_file(root / "Pulumi.live.yaml", '{"config": {"devportal:environment": "production"}}')
    stacks = ("dev", "prod", "live", "new")
    assert [stack for stack in stacks if is_production(root, stack)] == ["prod", "live"]


def test_new_stack_gets_the_settings_of_dev_on_free_ports(root: Path) -> None:
    news = create_missing(root, "mine")
    assert news == (
        "Pulumi.mine.yaml: new, with the settings of Pulumi.dev.yaml and every port 0: the engine "
        "chooses free ones, and `make output STACK=mine` tells which"
    )
    made = yaml.safe_load((root / "Pulumi.mine.yaml").read_text())["config"]
    expected = yaml.safe_load((root / "Pulumi.dev.yaml").read_text())["config"]
    assert made == {**expected, "devportal:ports": dict.fromkeys(PORTS, 0)}
    assert "encryptionsalt" not in (root / "Pulumi.mine.yaml").read_text()


def test_existing_stack_file_is_never_written(root: Path) -> None:
    write_file(root / "Pulumi.mine.yaml", "config: {}\n")
    assert create_missing(root, "mine") is None
    assert (root / "Pulumi.mine.yaml").read_text() == "config: {}\n"


def test_new_stack_takes_neither_the_salt_nor_the_ports_of_dev() -> None:
    template = (
        "config:\n  devportal:ports:\n    portal: 8000\n  devportal:devtools: 'true'\n"
        "encryptionsalt: v1:x\n"
    )
    assert render_development(template) == (
        "config:\n  devportal:devtools: 'true'\n  devportal:ports:\n    https: 0\n    http: 0\n"
        "    portal: 0\n    postgres: 0\n    redis: 0\n    adminer: 0\n    redis_commander: 0\n"
    )


def test_every_port_of_the_settings_is_freed() -> None:
    assert set(PORTS) == set(settings.PortSettings.model_fields) - {"bind_address"}


def test_stack_names_follow_the_rule_of_the_settings() -> None:
    assert settings._STACK_NAME.pattern == NAME_PATTERN


def test_stack_name_that_no_container_can_have_is_refused() -> None:
    with pytest.raises(CommandError) as error:
        check_name("My Stack")
    assert str(error.value) == (
        "STACK: should be 1 to 31 lower-case letters, digits, '-' or '_', starting with a letter "
        "or digit (got 'My Stack'). Choose another name."
    )


def test_development_is_brought_up_without_a_question(root: Path) -> None:
    assert command(root, "dev", interactive=True).up([]) == [
        "up",
        "--refresh",
        "--suppress-outputs",
        "--yes",
        "--skip-preview",
    ]


def test_production_asks_on_a_terminal(root: Path) -> None:
    assert command(root, "prod", interactive=True).up([]) == [
        "up",
        "--refresh",
        "--suppress-outputs",
    ]


def test_production_does_not_ask_without_a_terminal(root: Path) -> None:
    assert command(root, "prod").up([]) == [
        "up",
        "--refresh",
        "--suppress-outputs",
        "--yes",
    ]


def test_production_is_not_removed_unasked(root: Path) -> None:
    with pytest.raises(CommandError) as error:
        command(root, "prod").down([])
    assert str(error.value) == (
        "stack prod: removing production should be confirmed (got no terminal to ask on). "
        "Run `make down STACK=prod ARGS=--yes`."
    )


@pytest.mark.parametrize(("code", "told"), [(0, 2), (3, 1)])
def test_outputs_are_told_of_an_update_that_succeeded(
    code: int, told: int, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(_command: StackCommand, arguments: Sequence[str], _environ: object) -> int:
        ran.append(arguments[0])
        return code

    monkeypatch.setattr(StackCommand, "run", run)
    for name in ("prepare", "create_stack", "clear_up", "create_file"):
        monkeypatch.setattr(StackCommand, name, lambda *_: {})
    assert run_target(root, "up") == code
    assert ran == ["up", "stack"][:told]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that writes down how it is called, and a set-up that finds everything there."""
    program = tmp_path / "bin" / "pulumi"
    write_file(program, f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\nexit 5\n', mode=0o755)
    exported = {"PATH": f"{program.parent}:/usr/bin:/bin", "PULUMI_BACKEND_URL": "file:///none"}
    monkeypatch.setattr(stack_commands, "set_up", lambda project, console: exported)
    return tmp_path / "calls"


def run_target(root: Path, *arguments: str) -> int | None:
    """Run what a make target runs, without a terminal, in this folder."""
    project = Project(root, {"HOME": str(root / "home"), "PATH": "/usr/bin:/bin"})
    options = command_line._parse(arguments)
    commands = command_line.Commands(project, Console(io.StringIO()), options)
    return getattr(commands, options.command)()


@pytest.mark.parametrize(
    ("target", "called"),
    [
        ("preview", "preview --refresh --stack dev --non-interactive"),
        ("refresh", "refresh --yes --skip-preview --stack dev --non-interactive"),
        ("down", "destroy --yes --skip-preview --stack dev --non-interactive"),
        ("output", "stack output --stack dev --non-interactive"),
        (
            "drift",
            "refresh --preview-only --expect-no-changes --diff --stack dev --non-interactive",
        ),
    ],
)
def test_target_runs_pulumi_and_gives_its_exit_code(
    target: str, called: str, root: Path, calls: Path
) -> None:
    assert run_target(root, target) == 5
    assert calls.read_text() == f"{called}\n{CHECK_OF_THE_PASSPHRASE}"


def test_rest_of_the_command_line_goes_to_pulumi(root: Path, calls: Path) -> None:
    run_target(root, "preview", "--stack", "dev", "--diff")
    called = "preview --refresh --diff --stack dev --non-interactive"
    assert calls.read_text() == f"{called}\n{CHECK_OF_THE_PASSPHRASE}"


def test_stack_that_cannot_be_created_is_told(root: Path, calls: Path) -> None:
    with pytest.raises(CommandError) as error:
        run_target(root, "up", "--stack", "mine")
    assert str(error.value) == "stack mine: should be there or be created (got: exit code 5)."
    assert calls.read_text() == "stack select --create mine --non-interactive\n"
    assert (root / "Pulumi.mine.yaml").exists()


def test_stack_is_known_by_its_state_file(tmp_path: Path) -> None:
    write_file(tmp_path / ".pulumi" / "stacks" / "devportal" / "dev.json", "{}")
    assert has_state(f"file://{tmp_path}", "dev")
    assert not has_state(f"file://{tmp_path}", "mine")
    assert not has_state("s3://states", "dev")


def test_mistake_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["up", "--stack", "A"]) == 1
    assert capsys.readouterr().err == (
        "STACK: should be 1 to 31 lower-case letters, digits, '-' or '_', starting with a letter "
        "or digit (got 'A'). Choose another name.\n"
    )
