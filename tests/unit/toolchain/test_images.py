"""Which base images are built, of what, and what they take over from the machine."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.support.refusals import refusal
from toolchain.images import builder, machine
from toolchain.images.builder import ImageBuilder
from toolchain.images.machine import Mirrors, find_certificates, find_mirrors, machine_files
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
    programs.put(
        "unshare", 'for word; do root=$last last=$word; done; mkdir -p "$root"/var/log/apt'
    )
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
    made = 'umask 022; for word; do root=$last last=$word; done; mkdir -p "$root"/var/log/apt'
    docker.programs.put("unshare", made)
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


def test_names_are_their_own_and_end_in_the_recipes_revision() -> None:
    for recipe in RECIPES:
        assert recipe.name.startswith(f"devportal/base-{recipe.role}:")
        assert (recipe.folder / "Dockerfile").is_file()
    for name in (COMMON_LAYER, *(recipe.name for recipe in RECIPES)):
        assert name.rpartition("-")[2].isdigit(), name


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (
            "https://node.example/node_20.x/ nodistro main\n"
            "http://mirror.example/debian/ bookworm main\n"
            "http://mirror.example/debian-security/ bookworm-security main\n",
            Mirrors("http://mirror.example/debian/", "http://mirror.example/debian-security/"),
        ),
        ("https://m.example/debian/ trixie main", Mirrors("https://m.example/debian/")),
        ("http://m.example/ubuntu/ jammy main", None),
        ("http://m.example/debian/ bookworm contrib", None),
        ("file:///media/debian/ bookworm main", None),
        ("", None),
    ],
)
def test_mirrors_are_those_of_the_machines_apt(
    targets: str, expected: Mirrors | None, programs: FakePrograms
) -> None:
    programs.put("apt-get", f"cat <<'E'\n{targets}\nE")
    environ = {"PATH": programs.path}
    if expected is not None:
        assert find_mirrors(environ) == expected
        return
    assert refusal(find_mirrors, environ) == (
        "apt: should know a Debian mirror (got none in its sources). Set DEVPORTAL_DEBIAN_MIRROR "
        "to the address that holds dists/bookworm, and DEVPORTAL_DEBIAN_SECURITY_MIRROR to that "
        "of bookworm-security."
    )


def test_sources_have_security_only_where_there_is_a_mirror_of_it_and_no_shown_credential() -> None:
    main = "deb http://m/debian bookworm main\ndeb http://m/debian bookworm-updates main\n"
    assert Mirrors("http://m/debian").sources_list() == main
    assert Mirrors("http://m/debian", "http://m/s").sources_list() == (
        f"{main}deb http://m/s bookworm-security main\n"
    )
    assert Mirrors("http://user:word@m/debian").shown == "http://m/debian"


@pytest.fixture
def bare(
    programs: FakePrograms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Mapping[str, str]:
    """A machine without certificates of its own or pip settings; apt and npm print a little."""
    dump = 'Acquire::http::Proxy "http://p.example";\nDPkg::Post-Invoke:: "rm -rf /x";'
    programs.put("apt-config", f"cat <<'E'\n{dump}\nE")
    programs.put("npm", "case $3 in registry) echo https://npm.example/ ;; *) echo null ;; esac")
    monkeypatch.setattr(machine, "_OWN_CERTIFICATES", tmp_path / "none")
    monkeypatch.setattr(machine, "_BUNDLES", ())
    monkeypatch.setattr(machine, "_SYSTEM_PIP", tmp_path / "etc" / "pip.conf")
    return {"HOME": str(tmp_path), "PATH": programs.path}


def test_addresses_of_mirrors_come_along_and_hooks_and_paths_do_not(
    bare: Mapping[str, str], tmp_path: Path
) -> None:
    settings = tmp_path / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://file.example\nproxy = http://p.example\n")
    own = {"PIP_INDEX_URL": "https://pip.example/simple", "PIP_FIND_LINKS": "/opt/wheels"}
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    npm = f"cafile = {certificates}\nregistry = https://npm.example/\n"
    assert machine_files({**bare, **own, "PIP_CERT": "/home/me/ca.pem"}) == {
        "etc/apt/apt.conf.d/80machine": 'Acquire::http::Proxy "http://p.example";\n',
        "etc/pip.conf": (
            f"[global]\ncert = {certificates}\nindex-url = https://pip.example/simple\n"
            "proxy = http://p.example\n"
        ),
        "etc/npmrc": npm,
        "usr/etc/npmrc": npm,
    }


def test_named_certificate_bundle_comes_before_the_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system, own = tmp_path / "system.crt", tmp_path / "own.crt"
    system.touch()
    own.touch()
    monkeypatch.setattr(machine, "_BUNDLES", (tmp_path / "missing", system))
    assert find_certificates({}) == system
    assert find_certificates({"SSL_CERT_FILE": str(own)}) == own
    assert find_certificates({"SSL_CERT_FILE": str(tmp_path / "gone")}) == system
