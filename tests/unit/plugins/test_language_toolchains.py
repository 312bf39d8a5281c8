"""Which Python a program gets, and what is said when there is none."""

import sys
from pathlib import Path

import pytest

from plugins.language.environment import program_environment
from plugins.language.errors import LanguageError
from plugins.language.options import Project, read_project
from plugins.language.protocol import language_pb2
from plugins.language.toolchains.base import Step
from plugins.language.toolchains.resolve import resolve_toolchain


def project(folder: Path, **options: str) -> Project:
    """Return a project without an environment."""
    return Project(root=folder, program=folder, **options)


def virtualenv_in(folder: Path) -> Path:
    """Make a folder that looks like a virtual environment."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return folder


def executable(folder: Path, name: str, script: str) -> None:
    """Put a shell script on a path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def refusal(found: Project) -> str:
    """Return why a project's environment cannot be used."""
    with pytest.raises(LanguageError) as refused:
        resolve_toolchain(found).require()
    return str(refused.value)


def info(options: dict[str, str | bool]) -> language_pb2.ProgramInfo:
    """Return the engine's description of a program."""
    described = language_pb2.ProgramInfo(root_directory="/p", program_directory="/p")
    described.options.update(options)
    return described


def test_pip_is_the_default(tmp_path: Path) -> None:
    assert resolve_toolchain(project(tmp_path)).name == "pip"


@pytest.mark.parametrize(("lock", "name"), [("uv.lock", "uv"), ("poetry.lock", "poetry")])
def test_a_lock_file_above_the_program_decides_the_toolchain(
    tmp_path: Path, lock: str, name: str
) -> None:
    (tmp_path / lock).touch()
    program = tmp_path / "program"
    program.mkdir()
    assert resolve_toolchain(project(program)).name == name


def test_the_option_decides_against_a_lock_file(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    assert resolve_toolchain(project(tmp_path, toolchain="pip")).name == "pip"


def test_the_virtual_environment_is_relative_to_the_project_file(tmp_path: Path) -> None:
    virtualenv_in(tmp_path / ".venv")
    program = tmp_path / "program"
    found = Project(root=tmp_path, program=program, virtualenv=".venv")
    toolchain = resolve_toolchain(found)
    toolchain.require()
    assert toolchain.python == str(tmp_path / ".venv" / "bin" / "python")


def test_a_missing_virtual_environment_is_refused(tmp_path: Path) -> None:
    assert refusal(project(tmp_path, virtualenv=".venv")) == (
        "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
        f"(got none at {tmp_path}/.venv). Run `pulumi install` to create it."
    )


def test_a_folder_that_is_no_virtual_environment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert refusal(project(tmp_path, virtualenv="docs")) == (
        "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
        f"(got a folder without bin/python at {tmp_path}/docs). "
        "Run `pulumi install` to create it."
    )


def test_without_virtual_environment_the_python_on_path_runs_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path, "python3", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    assert resolve_toolchain(project(tmp_path)).python == str(tmp_path / "python3")


def test_no_python_at_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    with pytest.raises(LanguageError) as refused:
        _ = resolve_toolchain(project(tmp_path)).python
    assert str(refused.value) == (
        "PATH: should have python3 or python (got none). Install Python, "
        "or name a virtual environment in Pulumi.yaml:runtime.options.virtualenv."
    )


@pytest.mark.parametrize("name", ["uv", "poetry"])
def test_a_toolchain_that_is_not_installed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(project(tmp_path, toolchain=name)) == (
        f"Pulumi.yaml:runtime.options.toolchain: {name} should be on PATH (got none). "
        f"Install it with `pip install {name}`, or set the toolchain to pip."
    )


def test_uv_brings_its_environment_in_step_beside_the_lock_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "uv.lock").touch()
    virtualenv_in(tmp_path / ".venv")
    executable(tmp_path, "uv", f'echo "$@ into $UV_PROJECT_ENVIRONMENT" > {tmp_path}/called')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    toolchain = resolve_toolchain(project(tmp_path))
    toolchain.require()
    assert toolchain.python == str(tmp_path / ".venv" / "bin" / "python")
    assert (tmp_path / "called").read_text() == f"sync --inexact into {tmp_path}/.venv\n"


def test_a_failing_uv_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    executable(tmp_path, "uv", "echo 'no such package' >&2; exit 2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert refusal(project(tmp_path, toolchain="uv")) == (
        f"{tmp_path}: `uv sync --inexact` should succeed (got exit code 2). no such package"
    )


def test_poetry_says_where_the_environment_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = virtualenv_in(tmp_path / "environments" / "a")
    executable(tmp_path, "poetry", f"echo {place}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    toolchain = resolve_toolchain(project(tmp_path, toolchain="poetry"))
    toolchain.require()
    assert toolchain.python == str(place / "bin" / "python")


def test_poetry_without_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path, "poetry", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert refusal(project(tmp_path, toolchain="poetry")) == (
        f"{tmp_path}: should have an environment made by poetry (got none). "
        "Run `pulumi install` to create it."
    )


def steps(found: Project) -> list[Step]:
    """Return what an installation would run."""
    taken: list[Step] = []
    resolve_toolchain(found).install(taken.append)
    return taken


def test_pip_creates_a_missing_environment_and_installs_the_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    create, install = steps(project(tmp_path, virtualenv=".venv"))
    python = str(tmp_path / ".venv" / "bin" / "python")
    assert create.command[1:] == ("-m", "venv", str(tmp_path / ".venv"))
    assert install.command == (python, "-m", "pip", "install", "-r", "requirements.txt")
    assert install.environment["VIRTUAL_ENV"] == str(tmp_path / ".venv")


def test_pip_leaves_an_environment_that_is_there(tmp_path: Path) -> None:
    virtualenv_in(tmp_path / ".venv")
    assert steps(project(tmp_path, virtualenv=".venv")) == []


@pytest.mark.parametrize("name", ["uv", "poetry"])
def test_uv_and_poetry_want_a_project_file_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    executable(tmp_path, name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LanguageError) as refused:
        steps(project(tmp_path, toolchain=name))
    assert str(refused.value).startswith(
        f"{tmp_path}: should have a pyproject.toml for the toolchain {name} (got none). "
    )


def test_activation_is_that_of_the_environments_own_script() -> None:
    base = {"PATH": "/bin", "PYTHONHOME": "/usr", "PULUMI_HOME": "/h", "VIRTUAL_ENV": "/old"}
    assert program_environment(Path("/p/.venv"), base) == {
        "PATH": "/p/.venv/bin:/bin",
        "PULUMI_HOME": "/h",
        "VIRTUAL_ENV": "/p/.venv",
        "GRPC_VERBOSITY": "ERROR",
    }


def test_without_virtual_environment_the_variables_stay() -> None:
    base = {"PATH": "/bin", "PYTHONHOME": "/usr", "GRPC_VERBOSITY": "DEBUG"}
    assert program_environment(None, base) == base


def test_a_plugin_without_options_has_an_environment_of_its_own() -> None:
    assert read_project(info({}), is_plugin=True).virtualenv == "venv"
    assert read_project(info({})).virtualenv == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"toolchain": "conda"},
            "Pulumi.yaml:runtime.options.toolchain: should be pip, uv or poetry (got 'conda'). "
            "Change it, or leave it out.",
        ),
        (
            {"typechecker": "flow"},
            "Pulumi.yaml:runtime.options.typechecker: should be mypy or pyright (got 'flow'). "
            "Change it, or leave it out.",
        ),
        (
            {"virtualenv": True},
            "Pulumi.yaml:runtime.options.virtualenv: should be a string (got True). "
            "Write it in quotes.",
        ),
    ],
)
def test_an_unusable_option_is_named(options: dict[str, str | bool], message: str) -> None:
    with pytest.raises(LanguageError) as refused:
        read_project(info(options))
    assert str(refused.value) == message
