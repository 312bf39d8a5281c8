"""docker.RegistryImage: checks, and what it does on a fake engine and a fake registry."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.resource import (
    DeleteRequest,
    ReadRequest,
    UpdateRequest,
)
from plugins.docker.resources.registry_image import RegistryImageResource
from tests.support.image_engine import ImageEngine, RunningEngine
from tests.support.image_registry import ImageRegistry
from tests.support.image_resources import (
    BUILT,
    DIGEST,
    context_of,
    failures_of,
    made,
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker-config"))
    return tmp_path


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ImageEngine]:
    with RunningEngine(tmp_path) as engine:
        yield engine


@pytest.fixture
def context(engine: ImageEngine) -> Context:
    return context_of(engine)


def test_registry_image_is_pushed_and_has_its_digest_as_id(
    context: Context, engine: ImageEngine
) -> None:
    engine.pushes = ({"aux": {"Digest": DIGEST}},)
    auth = {"address": "https://reg.io", "username": "you", "password": "pw2"}
    outputs = made(RegistryImageResource(), context, name="reg.io/shop:1", authConfig=auth)
    assert (outputs["id"], outputs["sha256Digest"]) == (DIGEST, DIGEST)
    header = engine.last("POST", "/images/reg.io/shop/push").headers["X-Registry-Auth"]
    assert json.loads(base64.urlsafe_b64decode(header))["username"] == "you"


def test_registry_image_can_be_built_first(context: Context, engine: ImageEngine) -> None:
    engine.builds, engine.pushes = [BUILT], ({"aux": {"Digest": DIGEST}},)
    made(RegistryImageResource(), context, name="reg.io/shop:1", build={"context": "app"})
    assert engine.changes() == ["POST /session", "POST /build", "POST /images/reg.io/shop/push"]


def test_refused_push_of_a_registry_image_is_named(context: Context, engine: ImageEngine) -> None:
    engine.pushes = ({"error": "denied"},)
    with pytest.raises(ResourceError) as failure:
        made(RegistryImageResource(), context, name="reg.io/shop:1")
    assert str(failure.value) == (
        "image 'reg.io/shop:1': should be accepted by its registry (got: denied). "
        "Correct the name, authConfig or docker:registryAuth."
    )


def test_registry_image_is_read_from_the_registry(context: Context, engine: ImageEngine) -> None:
    state = {"name": "reg.io/shop:1", "sha256Digest": DIGEST}
    request = ReadRequest(id=DIGEST, state=state, inputs={"name": "reg.io/shop:1"})
    assert RegistryImageResource().read(context, request) is None
    engine.answers["GET /distribution/reg.io/shop:1/json"] = {"Descriptor": {"digest": "sha256:n"}}
    found = RegistryImageResource().read(context, request)
    assert found is not None
    assert found.outputs["sha256Digest"] == "sha256:n"


def test_registry_settings_are_updated_without_a_push(
    context: Context, engine: ImageEngine
) -> None:
    old = {"name": "reg.io/shop:1", "sha256Digest": DIGEST}
    new = {"name": "reg.io/shop:1", "keepRemotely": True}
    request = UpdateRequest(id=DIGEST, state=old, old_inputs=old, inputs=new)
    assert RegistryImageResource().update(context, request) == old | new
    assert engine.calls == []


def test_insecure_registry_is_the_engines_business() -> None:
    failures = failures_of(
        RegistryImageResource(), {"name": "reg.io/shop:1", "insecureSkipVerify": True}
    )
    assert failures == [
        (
            "insecureSkipVerify",
            "is not supported by this provider. It is the engine that talks to the registry: "
            "name the registry under insecure-registries in the engine's own settings.",
        )
    ]


def registry_state(registry: ImageRegistry, **more: Any) -> dict[str, Any]:
    registry.manifests[f"shop:{DIGEST}"] = ("application/json", b"{}")
    auth = {"address": registry.address, "username": "me", "password": "pw"}
    name = f"{registry.address}/shop:1"
    return {"name": name, "sha256Digest": DIGEST, "authConfig": auth, **more}


@pytest.mark.parametrize("uses_tokens", [False, True])
def test_deleted_registry_image_is_removed_from_the_registry(
    context: Context, uses_tokens: bool
) -> None:
    with ImageRegistry("me", "pw", uses_tokens=uses_tokens) as registry:
        state = registry_state(registry)
        RegistryImageResource().delete(context, DeleteRequest(id=DIGEST, state=state))
        assert registry.manifests == {}
        # A second time finds nothing, which is what was wanted.
        RegistryImageResource().delete(context, DeleteRequest(id=DIGEST, state=state))


def test_kept_registry_image_stays(context: Context) -> None:
    with ImageRegistry("me", "pw") as registry:
        state = registry_state(registry, keepRemotely=True)
        RegistryImageResource().delete(context, DeleteRequest(id=DIGEST, state=state))
        assert list(registry.manifests) == [f"shop:{DIGEST}"]


def test_refused_removal_from_the_registry_is_named(context: Context) -> None:
    with ImageRegistry("me", "other password") as registry:
        state = registry_state(registry)
        with pytest.raises(ResourceError) as failure:
            RegistryImageResource().delete(context, DeleteRequest(id=DIGEST, state=state))
        assert str(failure.value) == (
            f"image '{registry.address}/shop:1': its registry should remove it "
            "(got: HTTP 401 Unauthorized). Allow it there, correct authConfig, or set keepRemotely."
        )
