"""The language host and the docker plugin: official ones first, ours where there are none."""

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from toolchain.setup.console import Console
from toolchain.setup.project import ROOT, Project
from toolchain.setup.pulumi_found import cli_folder
from toolchain.setup.steps import docker_provider
from toolchain.setup.steps.docker_provider import DockerProvider
from toolchain.setup.steps.toolchain import Toolchain
from toolchain.setup.toolchain_folder import LAUNCHERS, ToolchainFolder
from toolchain.setup.work import Work

ELF = b"\x7fELF official"
PLUGIN = "plugins/resource-docker-v5.2.0/pulumi-resource-docker"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small clone on a machine that has a CLI and a Python environment, and nothing else."""
    root = tmp_path / "clone"
    for part in ("language", "docker"):
        (root / "plugins" / part).mkdir(parents=True)
        (root / "plugins" / part / "__init__.py").touch()
        (root / "plugins" / part / "__main__.py").write_text(
            f"import sys\nprint('{part}', *sys.argv[1:], [p for p in sys.path if 'user' in p])\n"
        )
    (root / "plugins" / "__init__.py").touch()
    (root / "requirements.txt").touch()
    (root / "plugins" / "bootstrap").mkdir()
    (root / "plugins" / LAUNCHERS).symlink_to(ROOT / "plugins" / LAUNCHERS)
    project = Project(root, {"HOME": str(tmp_path / "home"), "PATH": ""})
    put(cli_folder(project) / "pulumi", ELF)
    put(project.python, f'#!/bin/sh\nexec {sys.executable} "$@"\n'.encode())
    return project


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(docker_provider, "_DOWNLOAD", (tmp_path / "nothing").as_uri())
    return Work("step", Console(io.StringIO()), tmp_path / "log", threading.Event())


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def run_from_users_folder(folder: Path, *command: Path | str) -> str:
    """Run a program in a folder whose Python packages have our names."""
    put(folder / "user" / "plugins" / "__init__.py", b"raise SystemExit('shadowed')")
    done = subprocess.run(
        command, cwd=folder / "user", capture_output=True, text=True, check=True, env={}
    )
    return done.stdout.strip()


def test_ours_lies_next_to_a_cli_that_came_without_one(project: Project, work: Work) -> None:
    Toolchain(project).run(work)
    assert sorted(file.name for file in ToolchainFolder(project).bin.iterdir()) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi-resource-pulumi-python",
    ]
    assert Toolchain(project).find() == f"ours, {ToolchainFolder(project).path.name}"


def test_official_cli_keeps_its_own_host(project: Project, work: Work) -> None:
    for name in ("pulumi-language-python", "pulumi-resource-pulumi-python"):
        put(cli_folder(project) / name, ELF)
    Toolchain(project).run(work)
    [pulumi] = ToolchainFolder(project).bin.iterdir()
    assert pulumi.resolve() == cli_folder(project) / "pulumi"
    assert Toolchain(project).find() == f"official, {ToolchainFolder(project).path.name}"


def test_language_host_never_takes_modules_from_the_users_folder(
    project: Project, work: Work, tmp_path: Path
) -> None:
    Toolchain(project).run(work)
    host = ToolchainFolder(project).bin / "pulumi-language-python"
    assert run_from_users_folder(tmp_path, host, "127.0.0.1:1") == "language 127.0.0.1:1 []"


def test_toolchain_does_not_need_the_clone_any_more(
    project: Project, work: Work, tmp_path: Path
) -> None:
    Toolchain(project).run(work)
    host = ToolchainFolder(project).bin / "pulumi-language-python"
    project.root.rename(tmp_path / "gone")
    assert run_from_users_folder(tmp_path, host) == "language []"


def test_changed_plugin_code_makes_another_toolchain(project: Project, work: Work) -> None:
    Toolchain(project).run(work)
    (project.root / "plugins" / "docker" / "new.py").touch()
    assert Toolchain(project).find() is None


def test_dynamic_providers_are_left_to_the_language_host(
    project: Project, work: Work, tmp_path: Path
) -> None:
    dynamic = project.root / "plugins" / "language" / "dynamic.py"
    dynamic.write_text("import sys\nprint('dynamic', *sys.argv[1:])\n")
    Toolchain(project).run(work)
    launcher = ToolchainFolder(project).bin / "pulumi-resource-pulumi-python"
    assert run_from_users_folder(tmp_path, launcher, "127.0.0.1:1") == "dynamic 127.0.0.1:1"


def test_our_docker_plugin_is_taken_where_no_official_one_can_be_had(
    project: Project, work: Work, tmp_path: Path
) -> None:
    Toolchain(project).run(work)
    DockerProvider(project).run(work)
    plugin = project.places.pulumi_home / PLUGIN
    assert DockerProvider(project).find() == "ours"
    assert run_from_users_folder(tmp_path, plugin, "127.0.0.1:1") == "docker 127.0.0.1:1 []"


def test_activated_clone_runs_its_own_plugin_code(
    project: Project, work: Work, tmp_path: Path
) -> None:
    DockerProvider(project).run(work)
    put(tmp_path / "other" / "run", b'#!/bin/sh\necho other "$@"\n')
    done = subprocess.run(
        [project.places.pulumi_home / PLUGIN],
        env={"DEVPORTAL_TOOLCHAIN": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "other plugins.docker\n"


def test_official_plugin_in_the_users_plugin_cache_replaces_ours(
    project: Project, work: Work, tmp_path: Path
) -> None:
    DockerProvider(project).run(work)
    put(tmp_path / "home" / ".pulumi" / PLUGIN, ELF)
    assert DockerProvider(project).find() is None
    DockerProvider(project).run(work)
    assert (project.places.pulumi_home / PLUGIN).read_bytes() == ELF
    assert DockerProvider(project).find() == "official"


def test_official_plugin_on_path_is_taken(project: Project, tmp_path: Path) -> None:
    plugin = put(tmp_path / "bin" / "pulumi-resource-docker", ELF)
    on_path = Project(project.root, {**project.environ, "PATH": str(plugin.parent)})
    assert DockerProvider(on_path).find() == f"official, {plugin}"


def test_official_plugin_is_downloaded_where_it_answers(
    project: Project, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "release" / "pulumi-resource-docker", ELF)
    archive = tmp_path / "plugin.tar.gz"
    subprocess.run(
        ["tar", "-czf", archive, "-C", tmp_path / "release", "pulumi-resource-docker"], check=True
    )
    monkeypatch.setattr(docker_provider, "_DOWNLOAD", archive.as_uri())
    DockerProvider(project).run(work)
    assert DockerProvider(project).find() == "official"


def test_forgetting_removes_ours_and_keeps_an_official_plugin(project: Project, work: Work) -> None:
    DockerProvider(project).run(work)
    DockerProvider(project).forget_own()
    assert DockerProvider(project).find() is None
    put(project.places.pulumi_home / PLUGIN, ELF)
    DockerProvider(project).forget_own()
    assert DockerProvider(project).find() == "official"
