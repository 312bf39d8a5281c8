"""docker.Image on a fake engine: preview, create, update, read, delete."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.resource import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    ReadRequest,
    UpdateRequest,
)
from plugins.docker.resources.image import ImageResource
from plugins.docker.values import UNKNOWN
from tests.support.image_engine import ImageEngine, RunningEngine

IMAGE_ID = f"sha256:{'a' * 64}"
BUILT = ({"id": "moby.image.id", "aux": {"ID": IMAGE_ID}}, {"stream": "Successfully tagged x\n"})
DIGEST = f"sha256:{'d' * 64}"
PUSHED = ({"status": "Pushed", "id": "layer"}, {"aux": {"Digest": DIGEST, "Tag": "1"}})


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker-config"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ImageEngine]:
    with RunningEngine(tmp_path) as engine:
        engine.builds = [BUILT]
        engine.pushes = PUSHED
        yield engine


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def context(engine: ImageEngine, lines: list[str]) -> Context:
    def keep(kind: str) -> Callable[[str], None]:
        return lambda text: lines.append(f"{kind}: {text}")

    return Context(
        urn="urn:pulumi:dev::shop::docker:index/image:Image::shop",
        engine=None,  # type: ignore[arg-type]
        client=docker.DockerClient(base_url=engine.url, version="1.41"),
        settings=ConnectionSettings(),
        show_status=keep("status"),
        show_info=keep("info"),
        show_warning=keep("warning"),
    )


def inputs(**more: Any) -> dict[str, Any]:
    given = {"imageName": "shop:1", "skipPush": True, "build": {"context": "app"}} | more
    checked = ImageResource().check(CheckRequest(name="shop", old_inputs=None, inputs=given))
    assert checked.failures == ()
    return checked.inputs


def create(context: Context, **more: Any) -> dict[str, Any]:
    made = ImageResource().create(context, CreateRequest(inputs=inputs(**more)))
    assert made.secret_outputs == {"__inputs"}
    return {"id": made.id, **made.outputs}


def test_created_image_has_its_name_as_id_and_its_image_id_as_digest(context: Context) -> None:
    assert create(context) == {
        "id": "shop:1",
        "imageName": "shop:1",
        "baseImageName": "shop:1",
        "registryServer": "",
        "dockerfile": "Dockerfile",
        "context": "app",
        "platform": inputs()["build"]["platform"],
        "repoDigest": IMAGE_ID,
        "__inputs": inputs(),
    }


def test_every_option_reaches_the_engine(context: Context, engine: ImageEngine) -> None:
    engine.pulls = {"reg.io/cache:1": ({"status": "Pulling"},)}
    build = {
        "context": "app",
        "args": {"A": "1"},
        "target": "prod",
        "platform": "linux/arm64",
        "network": "host",
        "addHosts": ["db:10.0.0.1"],
        "cacheFrom": {"images": ["reg.io/cache:1"]},
    }
    create(context, imageName="reg.io/shop:1", build=build)
    query = engine.last("POST", "/build").query
    assert json.loads(query["buildargs"][0]) == {"A": "1"}
    assert json.loads(query["cachefrom"][0]) == ["reg.io/cache:1"]
    assert (query["target"], query["platform"]) == (["prod"], ["linux/arm64"])
    assert (query["networkmode"], query["extrahosts"]) == (["host"], ["db:10.0.0.1"])
    assert query["version"] == ["2"]
    assert engine.last("POST", "/images/create").query["platform"] == ["linux/arm64"]


def test_cache_that_cannot_be_pulled_is_only_mentioned(context: Context, lines: list[str]) -> None:
    build = {"context": "app", "cacheFrom": {"images": ["reg.io/cache:1"]}}
    create(context, imageName="reg.io/shop:1", build=build)
    assert [line for line in lines if line.startswith("info")] == [
        "info: cacheFrom image reg.io/cache:1 is not available: "
        "manifest for reg.io/cache:1 not found"
    ]


def test_classic_builder_is_used_if_asked_for(context: Context, engine: ImageEngine) -> None:
    create(context, build={"context": "app", "builderVersion": "BuilderV1"})
    assert engine.last("POST", "/build").query["version"] == ["1"]


def test_engine_without_buildkit_gets_the_classic_builder_and_a_warning(
    context: Context, engine: ImageEngine, lines: list[str]
) -> None:
    engine.os_type = "windows"
    create(context)
    assert engine.last("POST", "/build").query["version"] == ["1"]
    assert lines[0] == (
        "warning: the engine has no BuildKit: the classic builder is used, without RUN --mount. "
        "Update the engine to 18.09 or newer."
    )


def test_pushed_image_has_the_registrys_digest(context: Context, engine: ImageEngine) -> None:
    registry = {"server": "https://reg.io", "username": "me", "password": "very secret"}
    outputs = create(context, imageName="reg.io/shop:1", skipPush=False, registry=registry)
    assert outputs["repoDigest"] == f"reg.io/shop@{DIGEST}"
    header = engine.last("POST", "/images/reg.io/shop/push").headers["X-Registry-Auth"]
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "username": "me",
        "password": "very secret",
        "serveraddress": "reg.io",
    }


def test_push_without_a_digest_falls_back_to_the_engines_record(
    context: Context, engine: ImageEngine, lines: list[str]
) -> None:
    engine.pushes = ({"status": "Pushed"},)
    outputs = create(context, imageName="reg.io/shop:1", skipPush=False)
    assert outputs["repoDigest"] == "<none>@<none>"
    assert "warning: the push reported no digest; the engine's record is used" in lines


def test_refused_push_is_named(context: Context, engine: ImageEngine) -> None:
    engine.pushes = ({"error": "denied", "errorDetail": {"message": "denied"}},)
    with pytest.raises(ResourceError) as failure:
        create(context, imageName="reg.io/shop:1", skipPush=False)
    assert str(failure.value) == (
        "image 'reg.io/shop:1': should be accepted by its registry (got: denied). "
        "Correct the name or registry.username and registry.password, or set skipPush."
    )


def test_failing_build_names_the_dockerfile_of_the_program(
    context: Context, engine: ImageEngine
) -> None:
    engine.builds = [({"error": "unknown instruction: FOO"},)]
    with pytest.raises(ResourceError) as failure:
        create(context)
    assert str(failure.value) == (
        "image 'shop:1': app/Dockerfile should build (got: unknown instruction: FOO). Correct it."
    )


def test_build_output_is_shown_line_by_line(context: Context, lines: list[str]) -> None:
    create(context)
    assert lines == ["status: Successfully tagged x"]


def preview_create(context: Context, **more: Any) -> dict[str, Any]:
    return ImageResource().preview_create(context, CreateRequest(inputs=inputs(**more)))


def test_preview_builds_nothing_and_leaves_the_digest_unknown(
    context: Context, engine: ImageEngine
) -> None:
    outputs = preview_create(context)
    assert (outputs["imageName"], outputs["repoDigest"]) == ("shop:1", UNKNOWN)
    assert engine.calls == []


def test_preview_with_unknown_inputs_knows_no_more_than_they_do(
    context: Context, engine: ImageEngine
) -> None:
    build = {"context": "app", "args": {"A": UNKNOWN}}
    outputs = preview_create(context, build=build, buildOnPreview=True)
    assert outputs["imageName"] == "shop:1"
    assert outputs["repoDigest"] is UNKNOWN
    assert engine.calls == []


def test_preview_builds_if_told_to_but_never_pushes(context: Context, engine: ImageEngine) -> None:
    outputs = preview_create(
        context, imageName="reg.io/shop:1", skipPush=False, buildOnPreview=True
    )
    assert outputs["repoDigest"] == IMAGE_ID
    assert engine.changes() == ["POST /session", "POST /build"]


def test_update_builds_again(context: Context, engine: ImageEngine) -> None:
    old = create(context)
    engine.builds = [({"aux": {"ID": f"sha256:{'b' * 64}"}},)]
    request = UpdateRequest(id="shop:1", state=old, old_inputs=inputs(), inputs=inputs())
    assert ImageResource().preview_update(context, request)["repoDigest"] is UNKNOWN
    outputs = ImageResource().update(context, request)
    assert outputs["repoDigest"] == f"sha256:{'b' * 64}"


def read(context: Context, state: dict[str, Any], given: dict[str, Any]) -> Any:
    request = ReadRequest(id="shop:1", state=state, inputs=given)
    return ImageResource().read(context, request)


def test_present_image_is_read_as_it_was(context: Context) -> None:
    state = create(context)
    found = read(context, state, inputs())
    assert (found.id, found.outputs, found.inputs) == ("shop:1", state, inputs())
    assert found.secret_outputs == {"__inputs"}


def test_missing_image_is_gone(context: Context, engine: ImageEngine) -> None:
    state = create(context)
    engine.images.clear()
    assert read(context, state, inputs()) is None


def test_name_that_means_another_image_is_gone(context: Context, engine: ImageEngine) -> None:
    state = create(context)
    engine.add_image("shop:1", "sha256:other")
    assert read(context, state, inputs()) is None


def test_pushed_image_may_be_missing_locally(context: Context, engine: ImageEngine) -> None:
    state = create(context, imageName="reg.io/shop:1", skipPush=False)
    engine.images.clear()
    assert read(context, state, inputs()) is not None


def test_import_takes_what_the_engine_has(context: Context, engine: ImageEngine) -> None:
    engine.add_image("shop:1", IMAGE_ID)
    found = read(context, {}, {})
    assert found.inputs == {"imageName": "shop:1", "skipPush": True}
    assert found.outputs["repoDigest"] == IMAGE_ID


def test_import_of_a_missing_image_finds_nothing(context: Context) -> None:
    assert read(context, {}, {}) is None


def test_delete_leaves_the_image(context: Context, engine: ImageEngine) -> None:
    ImageResource().delete(context, DeleteRequest(id="shop:1", state={"imageName": "shop:1"}))
    assert engine.calls == []
