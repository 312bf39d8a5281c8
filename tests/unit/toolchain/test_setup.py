"""The set-up as a whole, its Python environment, and what `activate` gives a shell."""

import ast
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from operations.backend import states_folder
from tests.support.refusals import refusal
from toolchain.setup import setup
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import describe_environment, render_exports
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps import python_environment
from toolchain.setup.steps.python_environment import ProgramEnvironment
from toolchain.setup.work import Work

SHELLS = [shell for shell in ("sh", "bash", "zsh") if shutil.which(shell)]


def test_old_python_is_refused_in_one_line_before_it_reads_anything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = ast.parse((ROOT / "operations" / "__init__.py").read_text(), feature_version=(3, 6))
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(sys, "version", "3.9.18 (main, Nov 29 2026)")
    with pytest.raises(SystemExit) as refused:
        exec(compile(tree, "operations", "exec"), {})
    assert refused.value.code == (
        "python3: should be 3.11 or newer (got 3.9.18). Install a newer one and put it first on "
        "PATH."
    )


def test_every_step_depends_on_steps_above_it() -> None:
    names: list[str] = []
    for step in setup.list_steps(Project(ROOT, {})):
        assert set(step.after) <= set(names)
        names.append(step.name)


@pytest.fixture
def pip(work: Work, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The environments that were made, each a link to the interpreter: a copy may be busy."""
    made: list[Path] = []

    def create(folder: Path, *, clear: bool, symlinks: bool, with_pip: bool) -> None:
        assert (clear, symlinks, with_pip) == (True, True, True)
        made.append(folder)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr(python_environment.venv, "create", create)
    monkeypatch.setattr(work, "run", lambda command: None)
    return made


def test_venv_is_a_link_to_an_environment_that_all_clones_share(
    project: Project, work: Work, pip: list[Path]
) -> None:
    step = ProgramEnvironment(project)
    folder = step.folder
    step.run(work)
    assert sorted(file.name for file in folder.iterdir()) == ["bin", "complete"]
    assert project.python == project.root / ".venv" / "bin" / "python"
    (project.root / ".venv").unlink()
    step.run(work)
    assert step.find() == f".venv, {folder.name}"
    assert pip == [folder]


def test_venv_of_another_home_is_used_while_it_is_there(
    project: Project, work: Work, pip: list[Path], tmp_path: Path
) -> None:
    ProgramEnvironment(project).run(work)
    other = Project(project.root, {**project.environ, "HOME": str(tmp_path / "other")})
    assert ProgramEnvironment(other).find() is not None
    shutil.rmtree(project.places.cache)
    assert ProgramEnvironment(other).find() is None


def test_environment_whose_interpreter_is_gone_is_made_anew(
    project: Project, work: Work, pip: list[Path], tmp_path: Path
) -> None:
    step = ProgramEnvironment(project)
    step.run(work)
    interpreter = step.folder / "bin" / "python"
    interpreter.unlink()
    interpreter.symlink_to(tmp_path / "removed")
    assert step.find() is None
    step.run(work)
    assert step.find() == f".venv, {step.folder.name}"
    assert pip == [step.folder] * 2


def test_venv_that_leads_into_a_cache_closed_to_the_user_is_made_anew(
    project: Project, work: Work, pip: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `sudo make up`."""
    roots = Project(project.root, {**project.environ, "HOME": str(tmp_path / "root")})
    ProgramEnvironment(roots).run(work)
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if path.is_relative_to(roots.places.cache):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(
        os, "access", lambda path, mode: not path.is_relative_to(roots.places.cache)
    )
    step = ProgramEnvironment(project)
    assert step.find() is None
    step.run(work)
    assert step.find() == f".venv, {step.folder.name}"
    assert (project.root / ".venv").readlink() == step.folder


def test_changed_requirements_ask_for_another_environment(
    project: Project, work: Work, pip: list[Path]
) -> None:
    ProgramEnvironment(project).run(work)
    (project.root / "requirements.txt").write_text("pulumi==3.272.0")
    assert ProgramEnvironment(project).find() is None


def test_folder_of_the_user_named_venv_is_never_removed(project: Project, work: Work) -> None:
    (project.root / ".venv").mkdir()
    assert refusal(ProgramEnvironment(project).run, work) == (
        "step: .venv should be a link that the set-up makes (got a folder of yours). "
        "Move it away and run this again."
    )


def test_pulumi_finds_everything_in_this_projects_folders(project: Project) -> None:
    write_file(project.places.image_source, "packages\n")
    data = f"{project.places.home}/.local/share/devportal"
    assert describe_environment(project) == {
        "PATH": project.environ["PATH"],
        "PULUMI_HOME": f"{data}/pulumi",
        "PULUMI_BACKEND_URL": f"file://{data}/state",
        "PULUMI_CONFIG_PASSPHRASE": "devportal-development",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_PARALLEL": "16",
        "PYTHONUTF8": "1",
        "DEVPORTAL_IMAGE_SOURCE": "packages",
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
    }


@pytest.mark.parametrize("folder", ["/srv/my data", "/srv/50% of #1?"])
def test_state_lies_where_the_variable_says_whatever_the_folder_is_called(
    folder: str, project: Project
) -> None:
    there = Project(project.root, {**project.environ, "XDG_DATA_HOME": folder})
    url = describe_environment(there)["PULUMI_BACKEND_URL"]
    assert states_folder(url, project.root) == Path(folder, "devportal/state/.pulumi")


@pytest.mark.parametrize(
    ("name", "kept_out"),
    [
        ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE"),
        ("PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CONFIG_PASSPHRASE"),
        ("PULUMI_BACKEND_URL", "PULUMI_BACKEND_URL"),
    ],
)
def test_what_the_user_has_set_is_kept(name: str, kept_out: str, project: Project) -> None:
    environ = {**project.environ, name: "theirs"}
    assert kept_out not in describe_environment(Project(project.root, environ))


def test_loopback_never_goes_through_a_proxy(project: Project) -> None:
    environ = {**project.environ, "no_proxy": "lab, ::1"}
    exported = describe_environment(Project(project.root, environ))
    assert exported["NO_PROXY"] == exported["no_proxy"] == "lab,::1,127.0.0.1,localhost"


def test_exports_hold_any_character() -> None:
    script = render_exports({"A": "it's $HOME `x`"}) + 'printf %s "$A"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert done.stdout == "it's $HOME `x`"


@pytest.fixture
def clone(project: Project) -> Path:
    """A clone whose set-up prints one export."""
    write_file(project.root / "operations" / "__init__.py", "")
    main = project.root / "operations" / "__main__.py"
    write_file(main, "print(\"export GREETING='it is set up'\")")
    return project.root


def run_shell(shell: str, script: str, folder: Path) -> str:
    command = [shutil.which(shell) or shell, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_shell_gets_the_exports_and_no_helper_variable(shell: str, clone: Path) -> None:
    script = '. ./activate; echo "$GREETING"; set | grep -c "^_devportal"'
    assert run_shell(shell, script, clone) == "it is set up\n0\n"


@pytest.mark.skipif("bash" not in SHELLS, reason="there is no bash")
def test_bash_finds_the_clone_from_any_folder(clone: Path) -> None:
    assert run_shell("bash", f'. {clone}/activate; echo "$GREETING"', Path("/")) == "it is set up\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_failing_set_up_leaves_the_shell_alive(shell: str, clone: Path) -> None:
    write_file(clone / "operations" / "__main__.py", "raise SystemExit('no disk')")
    assert run_shell(shell, '. ./activate; echo "$?, alive"', clone) == "1, alive\nno disk\n"


def test_plain_sh_elsewhere_is_sent_to_the_projects_folder(clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run_shell("sh", '. ../clone/activate; echo "$?"', elsewhere) == (
        "1\n"
        f"activate: should be sourced from the project's folder (got '{elsewhere}'). "
        "cd there first.\n"
    )
