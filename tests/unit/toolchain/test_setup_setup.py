"""The set-up as a whole: what it says, what it remembers, and what a second run costs."""

import io
import json
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from toolchain.setup import __main__ as command_line
from toolchain.setup import python_packages, setup
from toolchain.setup.atomic import write_file
from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps import base_images
from toolchain.setup.steps.base_images import BaseImages, read_source
from toolchain.setup.steps.python_environment import PythonEnvironment
from toolchain.setup.work import Work

REQUIREMENTS = "requirements.txt"


@dataclass
class Part:
    """A part that is there, or stops whoever wants to make it."""

    found: str | None = "there"
    error: BaseException | None = None
    name = "part"
    purpose = "make it"
    after = ()

    def find(self) -> str | None:
        return self.found

    def run(self, work: Work) -> None:
        if self.error:
            raise self.error
        self.found = "made"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / REQUIREMENTS).write_text("")
    return Project(tmp_path, {"HOME": str(tmp_path / "home"), "PATH": ""})


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work("step", Console(io.StringIO()), tmp_path / "log", threading.Event())


def set_parts(monkeypatch: pytest.MonkeyPatch, *parts: Part) -> None:
    monkeypatch.setattr(setup, "list_steps", lambda project, **options: list(parts))
    monkeypatch.setattr(setup, "describe_environment", lambda project: {"PATH": "/bin"})


def test_second_run_says_one_line_and_writes_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parts(monkeypatch, Part())
    screen = io.StringIO()
    assert setup.set_up(project, Console(screen)) == {"PATH": "/bin"}
    assert screen.getvalue().startswith("set-up: ready (")
    assert screen.getvalue().count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_first_run_makes_what_is_missing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part(found=None)
    set_parts(monkeypatch, part)
    setup.set_up(project, Console(io.StringIO()))
    assert part.found == "made"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            SetupError("part: should be (got none). Get it."),
            1,
            "part: should be (got none). Get it.",
        ),
        (
            OSError(28, "No space left on device", "/cache/x"),
            1,
            "set-up: /cache/x: should be usable (got: No space left on device).",
        ),
        (KeyboardInterrupt(), 130, "set-up: stopped; the next run goes on from here"),
    ],
)
def test_failure_is_told_in_its_last_line_without_a_traceback(
    error: BaseException,
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_parts(monkeypatch, Part(found=None, error=error))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert command_line.main([]) == code
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_shell_lines_go_to_stdout_and_all_else_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_parts(monkeypatch, Part())
    assert command_line.main(["--environment"]) == 0
    assert capsys.readouterr().out == "export PATH=/bin\n"


def test_venv_is_a_link_to_an_environment_all_clones_share(
    project: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(
        python_packages.venv, "create", lambda folder, with_pip: made.append(folder)
    )
    monkeypatch.setattr(work, "run", lambda *arguments, **options: made[-1].mkdir(parents=True))
    step = PythonEnvironment(project)
    step.run(work)
    assert (project.root / ".venv").resolve() == project.python_folder(REQUIREMENTS)
    (project.root / ".venv").unlink()
    step.run(work)
    assert len(made) == 1
    assert step.find() is not None


def test_environment_of_an_interrupted_run_is_made_again(
    project: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.python_folder(REQUIREMENTS)
    write_file(folder / "half", "")
    monkeypatch.setattr(python_packages.venv, "create", lambda folder, with_pip: folder.mkdir())
    monkeypatch.setattr(work, "run", lambda *arguments, **options: None)
    PythonEnvironment(project).run(work)
    assert [file.name for file in folder.iterdir()] == ["complete"]


def test_changed_requirements_ask_for_another_environment(project: Project) -> None:
    before = project.python_folder(REQUIREMENTS)
    (project.root / REQUIREMENTS).write_text("pulumi==3.272.0")
    assert project.python_folder(REQUIREMENTS) != before


def test_folder_of_the_user_named_venv_is_never_removed(project: Project, work: Work) -> None:
    (project.root / ".venv").mkdir()
    with pytest.raises(SetupError) as error:
        PythonEnvironment(project).run(work)
    assert str(error.value) == (
        "step: .venv should be a link that the set-up makes (got a folder of yours). "
        "Move it away and run this again."
    )


@dataclass
class FakeEngine:
    """Holds images and reaches a registry, or not."""

    images: set[str]
    registry: bool
    asked: list[str] = field(default_factory=list)

    def has_image(self, name: str) -> bool:
        return name in self.images

    def reaches_registry(self, image: str) -> bool:
        self.asked.append(image)
        return self.registry


@pytest.fixture
def images(project: Project) -> Project:
    names = '{"redis": {"official": "redis:7", "packages": "devportal/base-redis:7-1"}}'
    write_file(project.root / "docker" / "base-images.json", names)
    return project


def test_official_images_are_chosen_where_the_engine_reaches_a_registry(
    images: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_images, "EngineApi", lambda address: FakeEngine(set(), registry=True))
    BaseImages(images).run(work)
    assert BaseImages(images).find() == "official, pulled when needed"


def test_images_are_built_from_packages_where_no_registry_answers(
    images: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(set(), registry=False)
    monkeypatch.setattr(base_images, "EngineApi", lambda address: engine)
    commands: list[list[str]] = []

    def build(command: list[str], **options: object) -> None:
        commands.append(command)
        engine.images.add("devportal/base-redis:7-1")

    monkeypatch.setattr(work, "run", build)
    BaseImages(images).run(work)
    assert commands == [[sys.executable, "-m", "toolchain.images", "build"]]
    assert BaseImages(images).find() == "ours, from packages"


def test_image_that_was_removed_from_the_engine_is_built_again(
    images: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(images.places.image_source, "packages\n")
    engine = FakeEngine(set(), registry=False)
    monkeypatch.setattr(base_images, "EngineApi", lambda address: engine)
    assert BaseImages(images).find() is None


def test_one_image_of_each_registry_is_asked_for(
    project: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "python": {"official": "python:3.11"},
        "redis": {"official": "redis:7"},
        "redis-commander": {"official": "ghcr.io/x/redis-commander:0.9"},
    }
    write_file(project.root / "docker" / "base-images.json", json.dumps(names))
    engine = FakeEngine(set(), registry=True)
    monkeypatch.setattr(base_images, "EngineApi", lambda address: engine)
    BaseImages(project).run(work)
    assert engine.asked == ["redis:7", "ghcr.io/x/redis-commander:0.9"]


def test_decision_is_remembered_until_it_is_forgotten(
    images: Project, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(images.places.image_source, "official\n")
    monkeypatch.setattr(base_images, "EngineApi", lambda address: FakeEngine(set(), registry=False))
    BaseImages(images).run(work)
    assert read_source(images) == "official"
    setup.forget_detected(images)
    assert read_source(images) is None


def test_every_step_depends_on_steps_that_are_there() -> None:
    steps = setup.list_steps(Project(ROOT, {}))
    names = [step.name for step in steps]
    assert [step.after for step in steps if not set(step.after) <= set(names)] == []
