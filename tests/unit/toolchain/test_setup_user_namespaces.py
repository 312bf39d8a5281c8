"""User namespaces are configured for an engine that the set-up installs, and for no other."""

import io
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from toolchain.setup.console import Console
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.errors import SetupError
from toolchain.setup.local_engine import LocalEngine
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps import docker_engine
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.user_namespaces import UserNamespaces
from toolchain.setup.work import Work

ADVICE = (
    'Set "userns-remap": "default" in its daemon.json yourself and restart it; it will not see '
    "its images, volumes and containers of before."
)


@pytest.fixture
def namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserNamespaces:
    (tmp_path / "limit").write_text("1000\n")
    made = UserNamespaces(tmp_path / "docker" / "daemon.json", tmp_path / "limit")
    monkeypatch.setattr(docker_engine, "UserNamespaces", lambda: made)
    return made


@pytest.fixture
def step(tmp_path: Path) -> DockerEngine:
    return DockerEngine(Project(ROOT, {"HOME": str(tmp_path)}), userns_remap=True)


def answer(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    answers = {"/version": {"Version": "20.10.24"}, "/info": {"SecurityOptions": options}}
    monkeypatch.setattr(EngineApi, "get", lambda _, path: answers[path])


def run(step: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the machine's engine."""
    done: list[str] = []
    monkeypatch.setattr(docker_engine, "refuse_elsewhere", lambda address, label: None)
    monkeypatch.setattr(LocalEngine, "install", lambda self, work: done.append("install"))
    monkeypatch.setattr(LocalEngine, "start", lambda self, work: done.append("start"))
    step.run(Work("docker engine", Console(io.StringIO()), tmp_path / "log", threading.Event()))
    return done


def without_engine(monkeypatch: pytest.MonkeyPatch, found: str | None = None) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: found)


def test_configuration_comes_before_the_engines_first_start(
    step: DockerEngine,
    namespaces: UserNamespaces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_engine(monkeypatch)
    seen: list[Any] = []
    monkeypatch.setattr(
        LocalEngine, "install", lambda self, work: seen.append(namespaces.is_configured())
    )
    monkeypatch.setattr(docker_engine, "refuse_elsewhere", lambda address, label: None)
    monkeypatch.setattr(LocalEngine, "start", lambda self, work: None)
    step.run(Work("docker engine", Console(io.StringIO()), tmp_path / "log", threading.Event()))
    assert seen == [True]


def test_other_settings_of_the_file_stay(namespaces: UserNamespaces) -> None:
    namespaces.configuration.parent.mkdir()
    namespaces.configuration.write_text('{"log-level": "warn"}')
    namespaces.configure()
    found = json.loads(namespaces.configuration.read_text())
    assert found == {"log-level": "warn", "userns-remap": "default"}


def test_set_up_without_the_option_configures_nothing(
    namespaces: UserNamespaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine(monkeypatch)
    step = DockerEngine(Project(ROOT, {"HOME": str(tmp_path)}))
    assert run(step, tmp_path, monkeypatch) == ["install", "start"]
    assert not namespaces.configuration.exists()


def test_interrupted_installation_goes_on(
    step: DockerEngine,
    namespaces: UserNamespaces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespaces.configure()
    without_engine(monkeypatch, "/usr/sbin/dockerd")
    assert run(step, tmp_path, monkeypatch) == ["start"]


def test_engine_with_user_namespaces_is_taken(
    step: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, ["name=seccomp,profile=default", "name=userns"])
    assert step.find() == "20.10.24, unix:///var/run/docker.sock"


def test_engine_without_user_namespaces_is_left_as_it_is(
    step: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, ["name=seccomp,profile=default"])
    with pytest.raises(SetupError) as caught:
        step.find()
    assert str(caught.value) == (
        "docker engine: --userns-remap should be given where no engine is installed yet (got one "
        f"without user namespaces at unix:///var/run/docker.sock). {ADVICE}"
    )


@pytest.mark.usefixtures("namespaces")
def test_installed_engine_that_does_not_run_is_left_as_it_is(
    step: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine(monkeypatch, "/usr/sbin/dockerd")
    with pytest.raises(SetupError) as caught:
        run(step, tmp_path, monkeypatch)
    assert str(caught.value) == (
        "docker engine: --userns-remap should be given where no engine is installed yet (got "
        f"/usr/sbin/dockerd, which is not running). {ADVICE}"
    )


def test_kernel_without_user_namespaces_is_told(namespaces: UserNamespaces) -> None:
    namespaces.kernel_limit.write_text("0\n")
    with pytest.raises(SetupError) as caught:
        namespaces.configure()
    assert str(caught.value) == (
        f"docker engine: {namespaces.kernel_limit} should be above 0 (got 0). Raise it with "
        "`sysctl -w user.max_user_namespaces=10000`, or leave --userns-remap out."
    )


def test_file_that_is_no_json_is_told(namespaces: UserNamespaces) -> None:
    namespaces.configuration.parent.mkdir()
    namespaces.configuration.write_text("userns")
    with pytest.raises(SetupError) as caught:
        namespaces.configure()
    assert str(caught.value) == (
        f"docker engine: {namespaces.configuration} should be JSON (got: Expecting value: line 1 "
        "column 1 (char 0)). Correct it."
    )
