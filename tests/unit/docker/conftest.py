"""Programs of `docker/`; scripts run under Debian's shell and that of the official images."""

import os
import shutil
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.fake_programs import FakePrograms
from toolchain.setup.project import ROOT


@pytest.fixture(scope="session", params=["dash", "busybox"])
def shell_programs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with `sh`; for busybox, as in Alpine, also with every other program that it has."""
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    listed = subprocess.run([found, "--list"], capture_output=True, text=True).stdout
    for name in listed.split() if request.param == "busybox" else ["sh"]:
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def shell(shell_programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts of the test run under that shell, with its programs."""
    monkeypatch.setenv("PATH", f"{shell_programs}:{os.environ['PATH']}")


@pytest.fixture
def programs(tmp_path: Path) -> FakePrograms:
    """Stand-ins for the programs that a script calls."""
    return FakePrograms(tmp_path / "bin")


def run_script(
    script: str | Path, *arguments: str, programs: FakePrograms, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run a script of `docker/`, with the fakes first on PATH."""
    path = f"{programs.folder}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", ROOT / "docker" / script, *arguments],
        capture_output=True,
        text=True,
        env={**environ, "PATH": path},
    )


def load_program(path: str) -> ModuleType:
    """A Python program of `docker/`, as a module."""
    loader = SourceFileLoader("program", str(ROOT / "docker" / path))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module
