"""toolchain/images: what is built, in which order, and what is left alone."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolchain.images import builder as builder_module
from toolchain.images.builder import Builder
from toolchain.images.debian_root import DebianRoot
from toolchain.images.errors import ImagesError
from toolchain.images.mirrors import Mirrors
from toolchain.images.recipes import COMMON_LAYER, Recipe
from tests.support.image_builder import FakeImageEngine

MIRRORS = Mirrors("http://user:word@mirror.example/debian")


@pytest.fixture
def recipes(tmp_path: Path) -> list[Recipe]:
    made: list[Recipe] = []
    for role in ("redis", "python"):
        folder = tmp_path / role
        folder.mkdir()
        (folder / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
        made.append(Recipe(role, f"devportal/base-{role}:1-1", folder))
    return made


@pytest.fixture
def roots(monkeypatch: pytest.MonkeyPatch) -> list[Mirrors]:
    """The mirrors of every Debian root made; none is really made."""
    made: list[Mirrors] = []

    @contextmanager
    def archive(_root: DebianRoot) -> Iterator[io.BytesIO]:
        yield io.BytesIO(b"tar")

    monkeypatch.setattr(DebianRoot, "make", lambda _root, mirrors: made.append(mirrors))
    monkeypatch.setattr(DebianRoot, "archive", archive)
    monkeypatch.setattr(builder_module, "find_mirrors", lambda _environ: MIRRORS)
    monkeypatch.setattr(builder_module.platform, "machine", lambda: "x86_64")
    return made


def make_builder(engine: FakeImageEngine, said: list[str], work: Path) -> Builder:
    return Builder(engine, work, lock=0, say=said.append, show=lambda line: None)


def test_common_layer_comes_first_and_every_stand_in_starts_from_it(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine()
    make_builder(engine, [], tmp_path / "work").build(recipes)
    assert roots == [MIRRORS]
    assert engine.images == {
        COMMON_LAYER: "sha256:root",
        "devportal/base-redis:1-1": "sha256:redis",
        "devportal/base-python:1-1": "sha256:python",
    }
    bases = {build["arguments"]["BASE_IMAGE"] for build in engine.built.values()}
    assert bases == {COMMON_LAYER}


def test_images_are_labelled_with_their_role(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine()
    make_builder(engine, [], tmp_path / "work").build(recipes)
    assert engine.built["redis"]["labels"] == {"devportal.base": "redis"}
    assert "LABEL devportal.base=debian" in engine.imported_changes


def test_what_is_there_is_not_built_again(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine(images={COMMON_LAYER: "a", "devportal/base-redis:1-1": "b"})
    said: list[str] = []
    make_builder(engine, said, tmp_path / "work").build(recipes)
    assert roots == []
    assert list(engine.built) == ["python"]
    assert said[0] == "redis: ready (devportal/base-redis:1-1)"


def test_common_layer_is_not_needed_once_all_stand_ins_are_there(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine(images={recipe.name: "a" for recipe in recipes})
    make_builder(engine, [], tmp_path / "work").build(recipes)
    assert roots == []
    assert engine.built == {}


def test_afresh_builds_what_is_there_too(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine(images={COMMON_LAYER: "a", recipes[0].name: "b"})
    make_builder(engine, [], tmp_path / "work").build(recipes[:1], afresh=True)
    assert roots == [MIRRORS]
    assert engine.images[recipes[0].name] == "sha256:redis"


def test_failed_build_is_told_after_the_others_have_their_names(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine(failing={"redis"})
    with pytest.raises(ImagesError) as caught:
        make_builder(engine, [], tmp_path / "work").build(recipes)
    assert str(caught.value) == "redis: should build (got: exit code: 1)."
    assert set(engine.images) == {COMMON_LAYER, "devportal/base-python:1-1"}


def test_credential_of_a_mirror_is_not_shown(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    said: list[str] = []
    make_builder(FakeImageEngine(), said, tmp_path / "work").build(recipes)
    assert said[0] == "debian: unpacking packages from http://mirror.example/debian"


def test_engine_of_another_architecture_is_refused_before_anything_is_made(
    recipes: list[Recipe], roots: list[Mirrors], tmp_path: Path
) -> None:
    engine = FakeImageEngine(architecture_name="arm64")
    with pytest.raises(ImagesError) as caught:
        make_builder(engine, [], tmp_path / "work").build(recipes)
    assert str(caught.value) == (
        "docker engine: should have this machine's architecture, amd64 (got arm64). "
        "Build on a machine like the engine's, and carry the images over with "
        "`docker save` and `docker load`."
    )
    assert roots == []
