"""The build call on a fake engine: what is asked for, what is sent, and how it ends."""

import io
import itertools
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from plugins.docker.build.cancellation import Cancellation, CancelledError
from plugins.docker.build.client import CLASSIC_BUILDER, Builder, BuildRequest
from plugins.docker.build.context import BuildContext
from plugins.docker.build.failure import BuildError
from tests.support.image_engine import ImageEngine, RunningEngine

IMAGE_ID = f"sha256:{'a' * 64}"
SUCCESS = ({"id": "moby.image.id", "aux": {"ID": IMAGE_ID}}, {"stream": "Successfully tagged x\n"})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ImageEngine]:
    with RunningEngine(tmp_path) as engine:
        engine.builds = [SUCCESS]
        yield engine


@pytest.fixture
def request_for(tmp_path: Path) -> Any:
    root = tmp_path / "context"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\n")

    def request(**more: Any) -> BuildRequest:
        context = BuildContext(root, root / "Dockerfile")
        return BuildRequest(
            image_name="shop:1", context=context, dockerfile_name="Dockerfile", **more
        )

    return request


def builder_for(engine: ImageEngine, cancellation: Cancellation | None = None) -> Builder:
    client = docker.DockerClient(base_url=engine.url, version=engine.api_version)
    return Builder(client, cancellation=cancellation)


def test_build_is_asked_of_buildkit_with_the_context_as_a_tar(
    engine: ImageEngine, request_for: Any
) -> None:
    lines: list[str] = []
    assert builder_for(engine).build(request_for(), lines.append) == IMAGE_ID
    call = engine.last("POST", "/build")
    session = engine.last("POST", "/session").headers["X-Docker-Expose-Session-Uuid"]
    assert call.query == {
        "version": ["2"],
        "t": ["shop:1"],
        "dockerfile": ["Dockerfile"],
        "session": [session],
        "rm": ["1"],
    }
    with tarfile.open(fileobj=io.BytesIO(call.body)) as archive:
        assert archive.getnames() == [".", "Dockerfile"]
    assert lines == ["Successfully tagged x"]


def test_parameters_are_spelled_as_the_engine_reads_them(
    engine: ImageEngine, request_for: Any
) -> None:
    parameters = {
        "buildargs": {"A": "1"},
        "labels": {"l": "x"},
        "cachefrom": ["a:1", "b:2"],
        "extrahosts": ["db:1.2.3.4", "mq:1.2.3.5"],
        "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
        "nocache": True,
        "forcerm": False,
        "target": "prod",
        "platform": None,
    }
    request = request_for(parameters=parameters, extra_tags=["shop:latest"])
    builder_for(engine).build(request, lambda _line: None)
    query = engine.last("POST", "/build").query
    assert query["t"] == ["shop:1", "shop:latest"]
    assert json.loads(query["buildargs"][0]) == {"A": "1"}
    assert json.loads(query["labels"][0]) == {"l": "x"}
    assert json.loads(query["cachefrom"][0]) == ["a:1", "b:2"]
    assert query["extrahosts"] == ["db:1.2.3.4", "mq:1.2.3.5"]
    assert json.loads(query["ulimits"][0]) == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    assert (query["nocache"], query["forcerm"], query["target"]) == (["1"], ["0"], ["prod"])
    assert "platform" not in query


def test_classic_builder_needs_no_session(engine: ImageEngine, request_for: Any) -> None:
    builder_for(engine).build(request_for(builder=CLASSIC_BUILDER), lambda _line: None)
    assert engine.last("POST", "/build").query["version"] == ["1"]
    assert engine.changes() == ["POST /build"]


@pytest.mark.parametrize(
    ("api_version", "os_type", "expected"),
    [("1.41", "linux", True), ("1.39", "linux", True), ("1.38", "linux", False),
     ("1.51", "windows", False)],
)  # fmt: skip
def test_buildkit_needs_a_linux_engine_of_18_09(
    engine: ImageEngine, api_version: str, os_type: str, expected: bool
) -> None:
    engine.api_version, engine.os_type = api_version, os_type
    assert builder_for(engine).has_buildkit() is expected


def test_failed_build_is_an_error(engine: ImageEngine, request_for: Any) -> None:
    engine.builds = [[{"error": "no space left", "errorDetail": {"message": "no space left"}}]]
    with pytest.raises(BuildError) as failure:
        builder_for(engine).build(request_for(), lambda _line: None)
    assert str(failure.value) == (
        "image 'shop:1': Dockerfile should build (got: no space left). Correct it."
    )


def test_build_without_an_image_is_an_error(engine: ImageEngine, request_for: Any) -> None:
    engine.builds = [[{"stream": "hm\n"}]]
    with pytest.raises(BuildError) as failure:
        builder_for(engine).build(request_for(), lambda _line: None)
    assert str(failure.value) == (
        "image 'shop:1': Dockerfile should build "
        "(got: the engine ended the build without an image). Correct it."
    )


def test_cancelled_provider_starts_no_build(engine: ImageEngine, request_for: Any) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        builder_for(engine, cancellation).build(request_for(), lambda _line: None)


def test_cancelling_ends_a_running_build(engine: ImageEngine, request_for: Any) -> None:
    cancellation = Cancellation()
    # The engine goes on until its client hangs up.
    engine.builds = [itertools.repeat({"stream": "working\n" * 1000})]
    with pytest.raises(CancelledError):
        builder_for(engine, cancellation).build(request_for(), lambda _line: cancellation.cancel())
