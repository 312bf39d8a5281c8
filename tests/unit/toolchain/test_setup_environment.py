"""What `activate` gives a shell."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toolchain.setup.atomic import write_file
from toolchain.setup.environment import describe_environment, render_exports
from toolchain.setup.project import ROOT, Project
from toolchain.setup.toolchain_folder import ToolchainFolder

SHELLS = [shell for shell in ("sh", "bash", "zsh") if shutil.which(shell)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(ROOT, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose set-up prints one export."""
    shutil.copy(ROOT / "activate", tmp_path)
    write_file(tmp_path / "plugins" / "bootstrap" / "__init__.py", "")
    write_file(
        tmp_path / "plugins" / "bootstrap" / "__main__.py",
        "print(\"export GREETING='it is set up'\")",
    )
    return tmp_path


def run_shell(shell: str, script: str, folder: Path) -> str:
    done = subprocess.run([shell, "-c", script], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_pulumi_finds_everything_in_this_projects_folders(project: Project, tmp_path: Path) -> None:
    write_file(project.places.image_source, "packages\n")
    toolchain = ToolchainFolder(project)
    assert describe_environment(project) == {
        "PATH": f"{toolchain.bin}:/usr/bin:/bin",
        "PULUMI_HOME": f"{tmp_path}/.local/share/devportal/pulumi",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/.local/share/devportal/state",
        "PULUMI_CONFIG_PASSPHRASE_FILE": f"{tmp_path}/.local/share/devportal/passphrase",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "DEVPORTAL_IMAGE_SOURCE": "packages",
        "DEVPORTAL_TOOLCHAIN": str(toolchain.path),
    }


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_passphrase_of_the_user_is_kept(project: Project, name: str) -> None:
    environ = {**project.environ, name: "theirs"}
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in describe_environment(Project(ROOT, environ))


def test_backend_of_the_user_is_kept(project: Project) -> None:
    environ = {**project.environ, "PULUMI_BACKEND_URL": "s3://states"}
    assert "PULUMI_BACKEND_URL" not in describe_environment(Project(ROOT, environ))


def test_activating_again_does_not_lengthen_path(project: Project) -> None:
    first = describe_environment(project)["PATH"]
    again = Project(ROOT, {**project.environ, "PATH": first})
    assert describe_environment(again)["PATH"] == first


def test_exports_hold_any_character() -> None:
    exports = render_exports({"A": "it's $HOME `x`"})
    assert run_shell("sh", f'{exports}printf %s "$A"', Path("/")) == "it's $HOME `x`"


@pytest.mark.parametrize("shell", SHELLS)
def test_shell_gets_the_exports_and_no_helper_variable(shell: str, clone: Path) -> None:
    script = '. ./activate; echo "$GREETING"; set | grep -c "^_devportal"'
    assert run_shell(shell, script, clone) == "it is set up\n0\n"


@pytest.mark.skipif("bash" not in SHELLS, reason="there is no bash")
def test_bash_finds_the_clone_from_any_folder(clone: Path) -> None:
    assert run_shell("bash", f'. {clone}/activate; echo "$GREETING"', Path("/")) == "it is set up\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_failing_set_up_leaves_the_shell_alive(shell: str, clone: Path) -> None:
    write_file(clone / "plugins" / "bootstrap" / "__main__.py", "raise SystemExit('no disk')")
    assert run_shell(shell, '. ./activate; echo "$?, alive"', clone) == "1, alive\nno disk\n"


def test_plain_sh_elsewhere_is_told_where_to_go(clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run_shell("sh", '. ../activate; echo "$?"', elsewhere) == (
        "1\n"
        f"activate: should be sourced from the project's folder (got '{elsewhere}'). "
        "cd there first.\n"
    )
    assert os.listdir(elsewhere) == []
