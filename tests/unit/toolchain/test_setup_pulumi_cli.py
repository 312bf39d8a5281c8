"""Which Pulumi CLI is taken, and how it is got."""

import io
import subprocess
import threading
from pathlib import Path

import pytest

from toolchain.setup import versions
from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError
from toolchain.setup.project import ROOT, Project
from toolchain.setup.pulumi_found import cli_folder, find_cli
from toolchain.setup.steps import pulumi_cli
from toolchain.setup.steps.pulumi_cli import GoProgress, PulumiCliStep
from toolchain.setup.work import Work


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A machine with an empty home and one folder on PATH."""
    (tmp_path / "bin").mkdir()
    return Project(ROOT, {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")})


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work("cli", Console(io.StringIO()), tmp_path / "log", threading.Event())


def put_program(path: Path, prints: str = "") -> Path:
    """Put a program that prints one line and notes that it was called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho called >> {path}.calls\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def put_release(folder: Path, version: str) -> Path:
    """Put what an official release has in its folder."""
    put_program(folder / "pulumi-language-python")
    put_program(folder / "pulumi-resource-pulumi-python")
    return put_program(folder / "pulumi", version)


def test_official_release_on_path_is_taken(project: Project, tmp_path: Path) -> None:
    put_release(tmp_path / "bin", "v3.240.1")
    assert PulumiCliStep(project).find() == "3.240.1, official"


def test_cli_on_path_older_than_3_200_is_not_taken(project: Project, tmp_path: Path) -> None:
    put_release(tmp_path / "bin", "v3.199.0")
    assert PulumiCliStep(project).find() is None


def test_program_of_the_same_name_that_is_no_pulumi_is_not_taken(
    project: Project, tmp_path: Path
) -> None:
    put_program(tmp_path / "bin" / "pulumi", "hello")
    assert PulumiCliStep(project).find() is None


def test_cli_that_an_earlier_activate_put_on_path_is_not_the_users(
    project: Project, tmp_path: Path
) -> None:
    own = put_release(project.places.cache / "toolchain" / "x" / "bin", "v3.256.0")
    activated = Project(ROOT, {**project.environ, "PATH": str(own.parent)})
    assert find_cli(activated) is None


def test_cached_cli_is_taken_without_one_on_path(project: Project) -> None:
    put_program(cli_folder(project) / "pulumi")
    assert PulumiCliStep(project).find() == f"{versions.PULUMI_CLI}, built from source"


def test_version_is_asked_once_for_each_state_of_the_file(project: Project, tmp_path: Path) -> None:
    program = put_release(tmp_path / "bin", "v3.240.1")
    assert [find_cli(project) is None for _ in range(2)] == [False, False]
    assert Path(f"{program}.calls").read_text() == "called\n"
    program.write_text(program.read_text().replace("v3.240.1", "v3.241.0 "))
    found = find_cli(project)
    assert found is not None
    assert found.version == "3.241.0"


def test_official_download_is_taken_where_it_answers(
    project: Project, tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_release(tmp_path / "release" / "pulumi", "v3.256.0")
    archive = tmp_path / "release.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", tmp_path / "release", "pulumi"], check=True)
    monkeypatch.setattr(pulumi_cli, "_DOWNLOAD", archive.as_uri())
    PulumiCliStep(project).run(work)
    assert PulumiCliStep(project).find() == "3.256.0, official"
    assert not (cli_folder(project) / "archive.tar.gz").exists()


def test_it_is_built_from_its_go_module_where_the_download_does_not_answer(
    project: Project, tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "bin" / "go"
    go.write_text(
        "#!/bin/sh\n"
        'case $1 in version) echo go1.26.0 ;; build) while [ "$1" != -o ]; do shift; done\n'
        '[ "$GOWORK$CGO_ENABLED" = off0 ] && : > "$2" ;; esac\n'
    )
    go.chmod(0o755)
    monkeypatch.setattr(pulumi_cli, "_DOWNLOAD", (tmp_path / "nothing").as_uri())
    PulumiCliStep(project).run(work)
    assert PulumiCliStep(project).find() == "3.256.0, built from source"


@pytest.mark.parametrize(("prints", "got"), [("go version go1.20.3", "go1.20"), ("", "none")])
def test_old_or_missing_go_is_told_with_both_ways_out(
    prints: str,
    got: str,
    project: Project,
    tmp_path: Path,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_program(tmp_path / "bin" / "go", prints)
    monkeypatch.setattr(pulumi_cli, "_DOWNLOAD", (tmp_path / "nothing").as_uri())
    with pytest.raises(SetupError) as error:
        PulumiCliStep(project).run(work)
    assert str(error.value) == (
        f"cli: Go should be 1.21 or newer to build Pulumi (got {got}). Install Go, or put an "
        "official Pulumi on PATH (https://www.pulumi.com/docs/install/)."
    )


def test_go_module_names_the_version_that_is_stamped() -> None:
    module = (ROOT / "plugins" / "bootstrap" / "pulumi_module" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI_CLI} " in module


def test_progress_counts_modules_then_packages(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(work, "show", shown.append)
    progress = GoProgress(work)
    for line in ("go: downloading a v1", "package x", "package y"):
        progress.list_line(line)
    progress.build_line("x")
    assert shown == ["1 modules downloaded", "1 of 2 packages built"]
