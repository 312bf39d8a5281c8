"""docker.RemoteImage: checks, diffs, and what it does on a fake engine."""

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
)
from plugins.docker.resources.remote_image import RemoteImageResource
from plugins.docker.values import UNKNOWN
from tests.support.image_engine import ImageEngine, RunningEngine
from tests.support.image_resources import (
    BUILT,
    DIGEST,
    IMAGE_ID,
    context_of,
    failures_of,
    made,
    replacing,
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


def test_local_image_is_taken_without_a_pull(context: Context, engine: ImageEngine) -> None:
    engine.add_image("redis:7", IMAGE_ID, RepoDigests=["redis@sha256:1"])
    assert made(RemoteImageResource(), context, name="redis:7") == {
        "id": f"{IMAGE_ID}redis:7",
        "name": "redis:7",
        "imageId": IMAGE_ID,
        "repoDigest": "redis@sha256:1",
    }
    assert engine.changes() == []


def test_missing_image_is_pulled_with_credentials(context: Context, engine: ImageEngine) -> None:
    engine.pulls = {"reg.io/redis:7": ({"status": "Downloaded"},)}
    outputs = made(RemoteImageResource(), context, name="reg.io/redis:7", platform="linux/arm64")
    assert (outputs["imageId"], outputs["repoDigest"]) == (
        "sha256:pulled",
        f"reg.io/redis@{DIGEST}",
    )
    call = engine.last("POST", "/images/create")
    assert call.query == {"fromImage": ["reg.io/redis"], "tag": ["7"], "platform": ["linux/arm64"]}
    header = json.loads(base64.urlsafe_b64decode(call.headers["X-Registry-Auth"]))
    assert header == {"username": "me", "password": "pw", "serveraddress": "reg.io"}


def test_image_that_is_nowhere_is_named(context: Context) -> None:
    with pytest.raises(ResourceError) as failure:
        made(RemoteImageResource(), context, name="redis:77")
    assert str(failure.value) == (
        "image 'redis:77': should be present locally or in a registry "
        "(got: manifest for redis:77 not found). "
        "Correct the name, build or pull the image first, or set docker:registryAuth."
    )


def test_build_block_builds_with_every_option(
    context: Context, engine: ImageEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.builds = [BUILT]
    (project / "token").write_text("from a file")
    monkeypatch.setenv("BUILD_TOKEN", "from a variable")
    build = {
        "context": "app",
        "dockerfile": "Dockerfile",
        "remove": True,
        "tags": ["shop:latest"],
        "buildArgs": {"A": "1"},
        "label": {"a": "1"},
        "labels": {"b": "2"},
        "target": "prod",
        "noCache": True,
        "pullParent": True,
        "cacheFroms": ["shop:cache"],
        "extraHosts": ["db:10.0.0.1"],
        "networkMode": "host",
        "memory": 1024.0,
        "ulimits": [{"name": "nofile", "soft": 1.0, "hard": 2.0}],
        "secrets": [{"id": "one", "src": "token"}, {"id": "two", "env": "BUILD_TOKEN"}],
        "forceRemove": False,
    }
    assert failures_of(RemoteImageResource(), {"name": "shop:1", "build": build}) == []
    assert made(RemoteImageResource(), context, name="shop:1", build=build)["imageId"] == IMAGE_ID
    query = engine.last("POST", "/build").query
    session = query.pop("session")
    assert len(session) == 1
    assert query == {
        "version": ["2"],
        "t": ["shop:1", "shop:latest"],
        "dockerfile": ["Dockerfile"],
        "rm": ["1"],
        "buildargs": ['{"A": "1"}'],
        "labels": ['{"a": "1", "b": "2"}'],
        "target": ["prod"],
        "nocache": ["1"],
        "pull": ["1"],
        "cachefrom": ['["shop:cache"]'],
        "extrahosts": ["db:10.0.0.1"],
        "networkmode": ["host"],
        "memory": ["1024"],
        "forcerm": ["0"],
        "ulimits": ['[{"Name": "nofile", "Soft": 1, "Hard": 2}]'],
    }


@pytest.mark.parametrize("build", [{"useLegacyBuilder": True}, {"version": "1"}])
def test_classic_builder_can_be_chosen(
    context: Context, engine: ImageEngine, build: dict[str, Any]
) -> None:
    engine.builds = [BUILT]
    made(RemoteImageResource(), context, name="shop:1", build={"context": "app", **build})
    assert engine.last("POST", "/build").query["version"] == ["1"]


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (
            {"id": "token", "src": "nowhere"},
            "build secret 'token': nowhere should be readable (got: no such file or directory). "
            "Correct build.secrets.",
        ),
        (
            {"id": "token", "env": "NO_SUCH_VARIABLE"},
            "build secret 'token': environment variable NO_SUCH_VARIABLE should be set (got none). "
            "Set it, or correct build.secrets.",
        ),
    ],
)
def test_build_secret_without_content_is_named(
    context: Context, secret: dict[str, str], message: str
) -> None:
    with pytest.raises(ResourceError) as failure:
        made(
            RemoteImageResource(), context, name="x", build={"context": "app", "secrets": [secret]}
        )
    assert str(failure.value) == message


@pytest.mark.parametrize(
    ("build", "failures"),
    [
        ({"context": UNKNOWN, "builder": "x"}, []),
        ({}, [("build.context", "should be given")]),
        (
            {"context": "nowhere"},
            [("build.context", "should be a folder, seen from the project (got 'nowhere')")],
        ),
        (
            {"context": "app", "dockerfile": "app/Dockerfile"},
            [
                (
                    "build.dockerfile",
                    "should be a file, seen from build.context (got 'app/Dockerfile')",
                )
            ],
        ),
        (
            {"context": "app", "builder": "mine", "version": "3", "secrets": [{"id": "x"}]},
            [
                (
                    "build.builder",
                    "is not supported by this provider: it builds with the engine's own "
                    "BuildKit. Leave it out, or use the official docker provider",
                ),
                ("build.version", "should be 1 or 2 (got '3')"),
                ("build.secrets[0]", "should have src or env"),
            ],
        ),
        (
            {"context": "app", "cacheFroms": ["type=local,src=x"]},
            [("build.cacheFroms[0]", "should be an image name (got 'type=local,src=x')")],
        ),
    ],
)
def test_every_mistake_in_the_build_block_is_named(
    build: dict[str, Any], failures: list[tuple[str, str]]
) -> None:
    assert failures_of(RemoteImageResource(), {"name": "x", "build": build}) == failures


def test_secret_build_argument_of_a_remote_image_is_refused() -> None:
    build = {"context": "app", "buildArgs": {"TOKEN": "s"}}
    assert failures_of(
        RemoteImageResource(),
        {"name": "x", "build": build},
        frozenset({"build.buildArgs.TOKEN"}),
    ) == [
        (
            "build.buildArgs.TOKEN",
            "should not be a secret: docker writes build arguments into the image's history. "
            "Use RUN --mount=type=secret with docker.RemoteImage's build.secrets",
        )
    ]


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        ({}, {}),
        ({"name": "b"}, {"name": True}),
        ({"platform": "linux/arm64"}, {"platform": True}),
        ({"pullTriggers": ["2", "1"]}, {}),
        ({"pullTriggers": ["1", "3"]}, {"pullTriggers": True}),
        ({"triggers": {"a": "2"}}, {"triggers": True}),
        ({"keepLocally": True}, {"keepLocally": False}),
        ({"forceRemove": True}, {"forceRemove": False}),
        ({"build": {"context": "other"}}, {"build": True}),
    ],
)
def test_remote_image_is_replaced_by_all_but_its_removal_settings(
    edit: dict[str, Any], changes: dict[str, bool]
) -> None:
    base = {"name": "a", "pullTriggers": ["1", "2"], "triggers": {"a": "1"}}
    assert replacing(RemoteImageResource(), base, base | edit) == changes


def test_read_finds_an_image_that_was_tagged_anew(context: Context, engine: ImageEngine) -> None:
    engine.add_image("redis:7", "sha256:new")
    state = {"name": "redis:7", "imageId": IMAGE_ID, "repoDigest": ""}
    request = ReadRequest(id=f"{IMAGE_ID}redis:7", state=state, inputs={"name": "redis:7"})
    found = RemoteImageResource().read(context, request)
    assert found is not None
    assert (found.id, found.outputs["imageId"]) == ("sha256:newredis:7", "sha256:new")


@pytest.mark.parametrize("resource_id", ["redis:7", f"{IMAGE_ID}redis:7"])
def test_remote_image_is_imported_by_name_or_by_id_and_name(
    context: Context, engine: ImageEngine, resource_id: str
) -> None:
    engine.add_image("redis:7", IMAGE_ID)
    request = ReadRequest(id=resource_id, state={}, inputs={})
    found = RemoteImageResource().read(context, request)
    assert found is not None
    assert (found.id, found.inputs) == (f"{IMAGE_ID}redis:7", {"name": "redis:7"})


def test_read_of_a_missing_remote_image_finds_nothing(context: Context) -> None:
    request = ReadRequest(id="x", state={"name": "redis:7"}, inputs={"name": "redis:7"})
    assert RemoteImageResource().read(context, request) is None


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ({"name": "redis:7"}, ["DELETE /images/redis:7"]),
        ({"name": "redis:7", "keepLocally": True}, []),
        ({"name": "gone:1"}, ["DELETE /images/gone:1"]),
    ],
)
def test_delete_removes_the_image_unless_it_is_kept(
    context: Context, engine: ImageEngine, state: dict[str, Any], calls: list[str]
) -> None:
    engine.add_image("redis:7", IMAGE_ID)
    RemoteImageResource().delete(context, DeleteRequest(id="x", state=state))
    assert engine.changes() == calls


def test_forced_delete_is_forced(context: Context, engine: ImageEngine) -> None:
    engine.add_image("redis:7", IMAGE_ID)
    state = {"name": "redis:7", "forceRemove": True}
    RemoteImageResource().delete(context, DeleteRequest(id="x", state=state))
    assert engine.last("DELETE", "/images/redis:7").query["force"] == ["True"]


def test_delete_of_an_image_in_use_says_so(context: Context, engine: ImageEngine) -> None:
    engine.add_image("redis:7", IMAGE_ID)
    engine.in_use = {"redis:7"}
    with pytest.raises(ResourceError) as failure:
        RemoteImageResource().delete(context, DeleteRequest(id="x", state={"name": "redis:7"}))
    assert str(failure.value) == (
        "image 'redis:7': should not be in use when it is removed "
        "(got: conflict: unable to remove redis:7: container is using it). "
        "Remove the containers that use it, or set keepLocally."
    )
