"""Which base images are built, of what, and where from."""

import os
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.support.refusals import refusal
from toolchain.images import builder, machine
from toolchain.images.builder import ImageBuilder
from toolchain.images.recipes import COMMON_LAYER, load_recipes
from toolchain.setup.project import Project
from toolchain.setup.steps.base_images import BaseImages
from toolchain.setup.work import Work

RECIPES = load_recipes()
# An engine with the images that the file at the end of the script names, a line each.
DOCKER = """
case "$1 $2" in
    "image inspect") shift 4; for name; do grep -qxF "$name" {images} || exit 1; done ;;
    "version --format") echo {architecture} ;;
    "--version "*) echo Docker version 20.10.24 ;;
    "info --format") echo '{{}}' ;;
    "import --change") for name; do :; done; echo "$name" >> {images} ;;
    "build --build-arg")
        for folder; do case $folder in devportal/*) name=$folder ;; esac; done
        ls -l "$folder" >> {images}.contexts
        case $name in *{broken}*) echo no such package; exit 7 ;; esac
        echo "$name" >> {images}
        ;;
    pull*) {pull} ;;
esac
"""


class FakeDocker:
    """The `docker` command before an engine that keeps its images in a file."""

    def __init__(self, programs: FakePrograms, folder: Path) -> None:
        self.programs = programs
        self.file = folder / "images"
        self.file.touch()
        self.put()

    def put(self, *, architecture: str = "amd64", broken: str = "nothing", pull: str = "") -> None:
        values = {"images": self.file, "architecture": architecture, "broken": broken}
        self.programs.put("docker", DOCKER.format(pull=pull or "exit 1", **values))

    @property
    def images(self) -> set[str]:
        return set(self.file.read_text().split())

    def hold(self, *names: str) -> None:
        self.file.write_text("\n".join(names) + "\n")

    def calls(self, verb: str) -> list[str]:
        return [call for call in self.programs.calls if call.startswith(f"docker {verb} ")]


@pytest.fixture
def docker(programs: FakePrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """With debootstrap and the like as fakes too, on a machine of the engine's architecture."""
    made = 'umask 022; for word; do root=$last last=$word; done; mkdir -p "$root"/var/log/apt'
    programs.put("unshare", made)
    programs.put("tar")
    programs.put("debootstrap")
    programs.put("npm", "exit 1")
    monkeypatch.setattr(builder.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(builder.os, "geteuid", lambda: 0)
    return FakeDocker(programs, tmp_path)


@pytest.fixture
def builds(project: Project, programs: FakePrograms, work: Work) -> ImageBuilder:
    mirror = {machine.MIRROR_VARIABLE: "http://user:word@mirror.example/debian"}
    environ = {**project.environ, **mirror, "PATH": programs.path}
    return ImageBuilder(Project(project.root, environ), work)


def test_common_layer_comes_first_and_every_stand_in_starts_from_it(
    docker: FakeDocker, builds: ImageBuilder, work: Work
) -> None:
    builds.build(RECIPES)
    assert docker.images == {COMMON_LAYER, *(recipe.name for recipe in RECIPES)}
    base = f"--build-arg BASE_IMAGE={COMMON_LAYER} --label devportal.base="
    assert all(base in call for call in docker.calls("build"))
    assert "--change LABEL devportal.base=debian" in docker.calls("import")[0]
    assert not (builds.project.places.cache / "base-images").exists()


def test_what_is_there_is_not_built_again(docker: FakeDocker, builds: ImageBuilder) -> None:
    docker.hold(COMMON_LAYER, *(recipe.name for recipe in RECIPES[1:]))
    builds.build(RECIPES)
    assert len(docker.calls("build")) == 1
    assert docker.calls("import") == []


def test_failed_build_is_reported_after_the_others_have_their_names(
    docker: FakeDocker, builds: ImageBuilder, work: Work
) -> None:
    docker.put(broken="base-redis:")
    assert refusal(builds.build, RECIPES) == (
        "step: `docker` should end with 0 (got 7). Correct what its last lines name and run this "
        f"again; it goes on from here.\n    no such package\n    Whole output: {work.log}"
    )
    assert len(docker.images) == len(RECIPES)


def test_context_has_the_same_modes_in_every_clone(
    docker: FakeDocker, builds: ImageBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.hold(COMMON_LAYER)
    (tmp_path / "redis").mkdir()
    for name, mode in (("Dockerfile", 0o664), ("start.sh", 0o775)):
        (tmp_path / "redis" / name).touch(mode)
        (tmp_path / "redis" / name).chmod(mode)
    monkeypatch.setattr("toolchain.images.recipes.RECIPES", tmp_path)
    builds.build([recipe for recipe in RECIPES if recipe.role == "redis"])
    modes = [line.split()[0] for line in Path(f"{docker.file}.contexts").read_text().splitlines()]
    assert modes[1:] == ["-rw-r--r--", "-rwxr-xr-x"]


def test_common_layer_is_readable_by_every_user_whatever_the_umask(
    docker: FakeDocker, builds: ImageBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """apt resolves names as a user of its own, and a clone under umask 077 has such folders."""
    (tmp_path / "debian" / "etc" / "apt").mkdir(parents=True, mode=0o700)
    (tmp_path / "debian" / "etc").chmod(0o700)
    (tmp_path / "debian" / "etc" / "apt" / "file").touch(mode=0o600)
    monkeypatch.setattr(builder, "RECIPES", tmp_path)
    docker.programs.put(
        "tar", f'find "$2" > {tmp_path}/all; find "$2" ! -perm -004 > {tmp_path}/not'
    )
    own = os.umask(0o077)
    try:
        builds.build(RECIPES)
    finally:
        os.umask(own)
    assert "/etc/apt/file\n" in (tmp_path / "all").read_text()
    assert "/usr/etc/npmrc\n" in (tmp_path / "all").read_text()
    assert (tmp_path / "not").read_text() == ""


def test_engine_of_another_architecture_is_refused_before_anything_is_made(
    docker: FakeDocker, builds: ImageBuilder
) -> None:
    docker.put(architecture="arm64")
    assert refusal(builds.build, RECIPES) == (
        "docker engine: should have this machine's architecture, amd64 (got arm64). Build on a "
        "machine like the engine's, and carry the images over with `docker save` and "
        "`docker load`."
    )
    assert docker.images == set()


def test_official_images_are_chosen_where_the_engine_reaches_every_registry(
    docker: FakeDocker, builds: ImageBuilder, work: Work
) -> None:
    docker.put(pull='echo "7: Pulling from library/x"; exec sleep 600')
    step = BaseImages(builds.project)
    step.run(work)
    assert step.find() == "official, pulled when needed"
    assert [call.split("/")[0] for call in docker.calls("pull")] == [
        "docker pull adminer:4.8.1-standalone",
        "docker pull ghcr.io",
    ]
    assert docker.images == set()


def test_images_are_built_where_no_registry_answers_and_the_decision_is_remembered(
    docker: FakeDocker, builds: ImageBuilder, work: Work
) -> None:
    step = BaseImages(builds.project)
    step.run(work)
    assert step.find() == "built from packages"
    docker.hold(COMMON_LAYER)
    assert step.find() is None
    step.run(work)
    assert len(docker.calls("pull")) == 1


def test_registry_is_asked_again_where_the_images_could_not_be_built(
    docker: FakeDocker, builds: ImageBuilder, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder.os, "geteuid", lambda: 1000)
    step = BaseImages(builds.project)
    assert refusal(step.run, work) == (
        "base images: should be built as root (got user id 1000). Run `sudo env HOME=$HOME make "
        "setup` once; everything else runs as you."
    )
    docker.put(pull='echo "7: Pulling from library/x"')
    step.run(work)
    assert step.find() == "official, pulled when needed"


def test_names_are_their_own_and_end_in_the_recipes_revision() -> None:
    for recipe in RECIPES:
        assert recipe.name.startswith(f"devportal/base-{recipe.role}:")
        assert (recipe.folder / "Dockerfile").is_file()
    for name in (COMMON_LAYER, *(recipe.name for recipe in RECIPES)):
        assert name.rpartition("-")[2].isdigit(), name
