"""A clone stays clean in git, whatever Pulumi writes into a stack's file."""

import io
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from toolchain.setup import git_salt
from toolchain.setup.console import Console
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps.workspace import Workspace
from toolchain.setup.work import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work("workspace", Console(io.StringIO()), tmp_path / "log", threading.Event())


@pytest.fixture
def clone(tmp_path: Path) -> Project:
    """A git clone with this project's attributes and one committed stack file."""
    root = tmp_path / "clone"
    root.mkdir()
    for name in (".gitattributes", ".gitignore"):
        (root / name).write_text((ROOT / name).read_text())
    (root / "Pulumi.dev.yaml").write_text("config:\n  devportal:environment: development\n")
    run_git(root, "init", "-q", ".")
    run_git(root, "add", "-A")
    run_git(root, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "first")
    return Project(root, {"HOME": str(tmp_path / "home")})


def run_git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_salt_in_a_stack_file_is_no_change_to_git(clone: Project, work: Work) -> None:
    Workspace(clone).run(work)
    with (clone.root / "Pulumi.dev.yaml").open("a") as file:
        file.write("encryptionsalt: v1:abc=:v1:def\n")
    git_salt.settle(clone.root)
    assert run_git(clone.root, "status", "--short") == ""
    assert run_git(clone.root, "diff", "--cached") == ""


def test_real_change_of_a_stack_file_is_not_staged(clone: Project, work: Work) -> None:
    Workspace(clone).run(work)
    with (clone.root / "Pulumi.dev.yaml").open("a") as file:
        file.write("  devportal:restart: always\nencryptionsalt: v1:abc=:v1:def\n")
    git_salt.settle(clone.root)
    assert run_git(clone.root, "status", "--short") == " M Pulumi.dev.yaml\n"
    assert run_git(clone.root, "diff").splitlines()[-1] == "+  devportal:restart: always"


def test_stack_of_ones_own_is_ignored(clone: Project, work: Work) -> None:
    Workspace(clone).run(work)
    (clone.root / "Pulumi.mine.yaml").write_text("config: {}\n")
    assert run_git(clone.root, "status", "--short") == ""


def test_folder_that_is_no_clone_is_ready_without_git(tmp_path: Path, work: Work) -> None:
    project = Project(tmp_path, {"HOME": str(tmp_path / "home")})
    assert Workspace(project).find() is None
    Workspace(project).run(work)
    assert Workspace(project).find() == str(project.places.data)


def test_passphrase_is_made_once_and_for_the_user_alone(clone: Project, work: Work) -> None:
    Workspace(clone).run(work)
    first = clone.places.passphrase.read_text()
    Workspace(clone).run(work)
    assert clone.places.passphrase.read_text() == first
    assert len(first) == 43
    assert clone.places.passphrase.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_file_is_written_as_pulumi_writes_it(stack: str) -> None:
    """Pulumi drops empty lines and quotes plain values when it saves; then git sees a change."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    assert "" not in text.splitlines()
    plain = {
        key: value
        for key, value in yaml.safe_load(text)["config"].items()
        if not isinstance(value, str | dict | list)
    }
    assert plain == {}
