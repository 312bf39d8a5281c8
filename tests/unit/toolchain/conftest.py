"""A machine with an empty home, a clone's text, and programs that only pretend."""

import io
import shutil
import threading
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from toolchain.setup.console import Console
from toolchain.setup.project import ROOT, Project
from toolchain.setup.work import Work


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    made = FakePrograms(tmp_path / "bin")
    monkeypatch.setenv("PATH", made.path)
    return made


@pytest.fixture
def project(tmp_path: Path, programs: FakePrograms) -> Project:
    root = tmp_path / "clone"
    for name in ("requirements.txt", "docker/base-images.json", "activate"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("pulumi/pulumi-language-python/executor.py", "provider/main.go"):
        (root / "toolchain" / name).parent.mkdir(parents=True)
        (root / "toolchain" / name).touch()
    for name in ("pulumi", "provider"):
        (root / "toolchain" / name / "go.mod").write_text(f"module {name}\n")
        (root / "toolchain" / name / "go.sum").touch()
    environ = {"HOME": str(tmp_path / "home"), "PATH": str(programs.folder)}
    return Project(root, environ)


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def work(tmp_path: Path, screen: io.StringIO) -> Work:
    return Work("step", Console(screen), tmp_path / "log", threading.Event())
