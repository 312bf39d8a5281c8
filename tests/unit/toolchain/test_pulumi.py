"""Where the Pulumi CLI, its language host and the docker plugin come from; `go` is a fake."""

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.fake_programs import FakePrograms
from tests.support.refusals import refusal
from toolchain.setup import versions
from toolchain.setup.go_module import provider_module, pulumi_module
from toolchain.setup.project import ROOT, Project
from toolchain.setup.schedule import Step
from toolchain.setup.steps import docker_provider, pulumi
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.pulumi import LanguageHost, PulumiCli, find_cli, pulumi_folder
from toolchain.setup.work import Work

HOST, PLUGIN = "pulumi-language-python", "pulumi-resource-docker"
GO = """
case $1 in
    version) echo go version go1.26.0 linux/amd64 ;;
    build)
        [ "$GOWORK$CGO_ENABLED$GOTOOLCHAIN" = off0auto ] || exit 1
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\necho v3.256.0\\n' > "$2" && chmod +x "$2"
        ;;
esac
"""


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (pulumi, docker_provider):
        monkeypatch.setattr(module, "_DOWNLOAD", (tmp_path / "nothing").as_uri())


@pytest.fixture
def machine(project: Project, programs: FakePrograms) -> Project:
    """A machine with the programs of a shell, and a Go that is set to fetch no newer one."""
    programs.put("go", GO)
    environ = {**project.environ, "PATH": programs.path, "GOTOOLCHAIN": "local"}
    return Project(project.root, environ)


def built_packages(programs: FakePrograms) -> list[str]:
    return [call.split()[-1] for call in programs.calls if call.startswith("go build")]


def test_release_on_path_is_used_with_its_host(project: Project, programs: FakePrograms) -> None:
    programs.put("pulumi", "echo v3.240.1")
    programs.put(HOST)
    assert PulumiCli(project).find() == f"3.240.1, yours, {programs.folder}/pulumi"
    assert LanguageHost(project).find() == "official"
    assert pulumi_folder(project) == programs.folder


def test_release_behind_a_link_on_path_is_used_where_it_lies(
    project: Project, programs: FakePrograms, tmp_path: Path
) -> None:
    release = FakePrograms(tmp_path / "opt")
    release.put(HOST)
    (programs.folder / "pulumi").symlink_to(release.put("pulumi", "echo v3.240.1"))
    assert LanguageHost(project).find() == "official"
    assert pulumi_folder(project) == release.folder


@pytest.mark.parametrize("prints", ["v3.199.0", "hello"])
def test_older_cli_or_another_program_on_path_is_not_used(
    prints: str, project: Project, programs: FakePrograms
) -> None:
    programs.put("pulumi", f"echo {prints}")
    assert PulumiCli(project).find() is None


def test_cli_that_an_earlier_activate_put_on_path_is_not_the_users(project: Project) -> None:
    own = FakePrograms(project.places.cache / "pulumi" / "older")
    own.put("pulumi", "echo v3.256.0")
    beside = f"{project.places.cache}-of-mine"
    asked = Project(project.root, {**project.environ, "PATH": f"{own.folder}:{beside}"})
    assert find_cli(asked) is None
    assert asked.path == [beside]


@pytest.mark.parametrize(
    ("module", "step", "shown"),
    [(pulumi, PulumiCli, "3.256.0, official"), (docker_provider, DockerProvider, "official")],
)
def test_release_or_plugin_is_downloaded_where_one_answers(
    module: ModuleType,
    step: type[Step],
    shown: str,
    machine: Project,
    work: Work,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = FakePrograms(tmp_path / "release" / "pulumi")
    for name in ("pulumi", HOST, PLUGIN):
        release.put(name).write_bytes(b"\x7fELF")
    archive = tmp_path / "release.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", tmp_path / "release", "pulumi"], check=True)
    monkeypatch.setattr(module, "_DOWNLOAD", archive.as_uri())
    step(machine).run(work)
    assert step(machine).find() == shown
    assert LanguageHost(machine).find() == ("official" if step is PulumiCli else None)


def test_all_three_are_built_where_no_download_answers_and_only_once(
    machine: Project, work: Work, programs: FakePrograms
) -> None:
    for step in (PulumiCli(machine), LanguageHost(machine), DockerProvider(machine)):
        step.run(work)
        assert (step.find() or "").endswith("built from source")
    assert built_packages(programs) == [pulumi._PACKAGE, f"./{HOST}", "."]
    folder = pulumi_folder(machine)
    assert folder is not None
    assert sorted(file.name for file in folder.iterdir()) == [
        "pulumi",
        HOST,
        "pulumi-resource-pulumi-python",
    ]
    # Another HOME's PULUMI_HOME with the same cache: linked, not built.
    environ = {**machine.environ, "XDG_DATA_HOME": f"{machine.root}-data"}
    again = DockerProvider(Project(machine.root, environ))
    again.run(work)
    assert again.find() == "built from source"
    assert len(built_packages(programs)) == 3
    # Another cache: what is linked is still what was built.
    other = {**environ, "XDG_CACHE_HOME": f"{machine.root}-cache"}
    assert DockerProvider(Project(machine.root, other)).find() == "built from source"


def test_change_of_a_source_asks_for_what_is_made_of_it_and_nothing_else(
    machine: Project, work: Work
) -> None:
    steps = [PulumiCli(machine), LanguageHost(machine), DockerProvider(machine)]
    for step in steps:
        step.run(work)
    (machine.root / "toolchain" / "pulumi" / HOST / "executor.py").write_text("# changed\n")
    (machine.root / "toolchain" / "provider" / "main.go").write_text("package main\n")
    assert [step.find() is not None for step in steps] == [True, False, False]


def test_official_host_on_path_is_put_next_to_a_cli_that_has_none(
    machine: Project, work: Work, programs: FakePrograms, tmp_path: Path
) -> None:
    PulumiCli(machine).run(work)
    elsewhere = FakePrograms(tmp_path / "elsewhere")
    elsewhere.put(HOST)
    elsewhere.put(f"{HOST}-exec")
    path = f"{elsewhere.folder}:{programs.path}"
    step = LanguageHost(Project(machine.root, {**machine.environ, "PATH": path}))
    step.run(work)
    assert step.find() == "official"
    folder = pulumi_folder(step.project)
    assert folder is not None
    assert (folder / f"{HOST}-exec").resolve() == elsewhere.folder / f"{HOST}-exec"
    assert built_packages(programs) == [pulumi._PACKAGE]


def test_plugin_in_the_users_own_cache_is_used_even_after_one_was_built(
    machine: Project, work: Work
) -> None:
    step = DockerProvider(machine)
    step.run(work)
    folder = machine.places.home / ".pulumi" / "plugins" / "resource-docker-v5.2.0"
    folder.mkdir(parents=True)
    (folder / PLUGIN).write_bytes(b"\x7fELF")
    assert step.find() is None
    step.run(work)
    assert step.find() == "official"


def test_plugin_on_path_is_used(project: Project, programs: FakePrograms) -> None:
    programs.put(PLUGIN)
    assert DockerProvider(project).find() == f"official, {programs.folder}/{PLUGIN}"


@pytest.mark.parametrize(
    ("prints", "got"), [("go version go1.20.3 x/y", "go version go1.20.3 x/y"), ("", "none")]
)
def test_old_or_missing_go_is_reported_with_both_ways_out(
    prints: str, got: str, machine: Project, programs: FakePrograms, work: Work
) -> None:
    programs.put("go", f"echo {prints}")
    assert refusal(PulumiCli(machine).run, work) == (
        f"step: Go should be 1.21 or newer to build it (got {got}). Install Go, or the official "
        "Pulumi (https://www.pulumi.com/docs/install/)."
    )


def test_progress_counts_modules_then_packages(
    machine: Project, work: Work, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(work, "show", shown.append)
    programs.put("go", GO.replace("build)", "build) printf 'go: downloading a v1\\npackage\\n'"))
    PulumiCli(machine).run(work)
    assert shown[-2:] == ["1 modules downloaded", "1 packages built"]


def test_go_modules_name_the_versions_that_the_programs_ask_for() -> None:
    project = Project(ROOT, {})
    for module in (pulumi_module(project), provider_module(project)):
        text = (module.folder / "go.mod").read_text()
        assert f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI_CLI}" in text
    requirements = (ROOT / "requirements.txt").read_text()
    assert f"pulumi-docker=={versions.DOCKER_PLUGIN} " in requirements
