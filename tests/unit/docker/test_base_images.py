"""docker/: rules that hold for every image of the stack."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.resources.image import name_in_registry
from toolchain.setup.project import ROOT

DOCKER = ROOT / "docker"
RECIPES = sorted([*DOCKER.glob("*/Dockerfile"), *ROOT.glob("toolchain/images/*/Dockerfile")])
USERS = {
    "nginx": "101:101",
    "backups": "70:70",
    "postgres": "70:70",
    "redis": "999:1000",
    "prometheus": "65534:65534",
    "exporter": "70:70",
    "app": "10001:10001",
    "adminer": "10002:10002",
    "redis-commander": "10002:10002",
}
each_role = pytest.mark.parametrize("role", USERS)


def read_dockerfile(role: str) -> str:
    return (DOCKER / role / "Dockerfile").read_text()


def test_every_official_base_is_pinned_to_a_whole_version() -> None:
    for role, names in json.loads((DOCKER / "base-images.json").read_text()).items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$", names["official"]), role


@each_role
def test_base_is_an_argument_and_the_only_one(role: str) -> None:
    bases = re.findall(r"^FROM (\S+)", read_dockerfile(role), re.MULTILINE)
    stages = re.findall(r"^FROM \S+ AS (\S+)", read_dockerfile(role), re.MULTILINE)
    assert set(bases) - set(stages) == {"${BASE_IMAGE}"}


@each_role
def test_last_user_is_numeric_and_not_root(role: str) -> None:
    assert re.findall(r"^USER (\S+)", read_dockerfile(role), re.MULTILINE)[-1] == USERS[role]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: str(recipe.relative_to(ROOT)))
def test_whatever_is_copied_from_the_context_has_an_owner(recipe: Path) -> None:
    copies = re.findall(r"^COPY (?!--from=)(.*)$", recipe.read_text(), re.MULTILINE)
    assert [copy for copy in copies if not copy.startswith("--chown=0:0 ")] == []


@pytest.mark.parametrize("role", sorted(USERS.keys() - {"app"}))
def test_files_are_copied_by_name(role: str) -> None:
    """So that what an editor leaves in the folder gets into no image."""
    copies = re.findall(r"^COPY (?!--from=)(.*) \S+$", read_dockerfile(role), re.MULTILINE)
    copied = [word for copy in copies for word in copy.split() if not word.startswith("--")]
    assert copied
    assert [name for name in copied if not (DOCKER / role / name).is_file()] == []


@each_role
def test_folder_of_what_is_copied_with_a_mode_is_there_before(role: str) -> None:
    """A newer engine gives a folder that it makes for them their mode: nobody may enter it."""
    there, lacking = {"/tmp", "/usr/local/bin", "/redis-commander"}, []
    for line in read_dockerfile(role).splitlines():
        _, made, folders = line.partition("mkdir -p ")
        if made:
            there.update(folders.split())
        elif line.startswith("COPY ") and "--chmod=" in line:
            lacking += {line.split()[-1].rpartition("/")[0]} - there
    assert lacking == []


@each_role
def test_image_is_labelled_with_stack_and_role(role: str) -> None:
    labels = re.findall(r"devportal\.(\w+)=(\S+)", read_dockerfile(role))
    assert set(labels) == {("stack", "$STACK"), ("role", role)}


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("postgres:15.14-alpine", "registry.example.com/hub/postgres:15.14-alpine"),
        ("bitnami/redis:7.4", "registry.example.com/hub/bitnami/redis:7.4"),
        ("ghcr.io/joeferner/tool:0.9", "registry.example.com/hub/joeferner/tool:0.9"),
    ],
)
def test_registry_of_the_settings_takes_the_place_of_an_images_own(name: str, moved: str) -> None:
    assert name_in_registry(name, "registry.example.com/hub") == moved


@pytest.mark.usefixtures("shell")
def test_scripts_are_executable_and_stop_at_the_first_failure() -> None:
    scripts = sorted(DOCKER.glob("*/*.sh"))
    assert len(scripts) == 15
    for script in scripts:
        assert script.stat().st_mode & 0o111, script
        assert "\nset -eu\n" in script.read_text(), script
        assert subprocess.run(["sh", "-n", script]).returncode == 0


def test_apps_context_admits_only_what_its_dockerfile_copies() -> None:
    lines = (DOCKER.parent / ".dockerignore").read_text().splitlines()
    admitted = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    assert admitted == ["app", "migrations", "docker/app", "docker/scripts"]
