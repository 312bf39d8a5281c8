"""Recorded messages of real builds (Engine 20.10): lines to show, and the message of a failure."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.docker.build.failure import build_error
from plugins.docker.build.progress import BuildProgress
from plugins.docker.build.wire import StatusResponse

RECORDED = Path(__file__).parent / "recorded"


def replay(name: str) -> tuple[BuildProgress, list[str]]:
    progress = BuildProgress()
    messages = (json.loads(line) for line in (RECORDED / name).read_text().splitlines())
    return progress, [line for message in messages for line in progress.feed(message)]


def traces(**parts: Any) -> Iterator[dict[str, Any]]:
    response = StatusResponse(**parts)
    yield {"id": "moby.buildkit.trace", "aux": base64.b64encode(response.SerializeToString())}


def without_times(lines: list[str]) -> list[str]:
    return [line.partition(" DONE ")[0] + " DONE" if " DONE " in line else line for line in lines]


def test_successful_build_shows_each_step_once_and_ends_with_the_image() -> None:
    progress, lines = replay("buildkit_success.jsonl")
    image = "sha256:754484635ba58e8274e574b8826df035ffb3cb4bf8dc859087060596bcbb9f26"
    assert without_times(lines) == [
        "#1 [internal] load remote build context",
        "#1 DONE",
        "#2 copy /context /",
        "#2 DONE",
        "#3 [internal] load metadata for docker.io/library/tiny:1",
        "#3 DONE",
        "#6 [1/3] FROM docker.io/library/tiny:1",
        "#6 DONE",
        "#4 [2/3] RUN echo hello; echo again",
        "#4 hello",
        "#4 again",
        "#4 DONE",
        "#5 [3/3] COPY a.txt /a.txt",
        "#5 DONE",
        "#7 exporting to image",
        "#7 exporting layers",
        f"#7 writing image {image}",
        "#7 naming to docker.io/library/shop:1",
        "#7 DONE",
        "Successfully tagged shop:1",
    ]
    assert (progress.image_id, progress.error, progress.failed_step()) == (image, "", None)


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        (
            "buildkit_failing_step.jsonl",
            "image 'shop:1': Dockerfile step should succeed "
            '(got: exit code 3 in "RUN echo one; echo two;     exit 3"). '
            "Correct docker/Dockerfile or what it copies.\nLast output lines:\n  one\n  two",
        ),
        (
            "buildkit_unknown_instruction.jsonl",
            "image 'shop:1': docker/Dockerfile should build "
            "(got: dockerfile parse error line 2: unknown instruction: FOO). Correct it.",
        ),
        (
            "buildkit_missing_base.jsonl",
            "image 'shop:1': image registry.invalid/x:1 of docker/Dockerfile should be present "
            'locally or in a registry (got: failed to do request: Head "https://registry.invalid'
            '/v2/x/manifests/1": dial tcp: lookup registry.invalid: no such host). '
            "Correct the line that names it, or make the image available.",
        ),
        (
            "classic_failing_step.jsonl",
            "image 'shop:1': Dockerfile step should succeed "
            '(got: exit code 3 in "RUN echo one; echo two;     exit 3"). '
            "Correct docker/Dockerfile or what it copies.\nLast output lines:\n"
            "   ---> Running in 62ec4d8d106b\n  one\n  two",
        ),
    ],
)
def test_failed_build_names_the_step_the_reason_and_the_last_output(
    recording: str, message: str
) -> None:
    progress, _ = replay(recording)
    assert str(build_error("shop:1", "docker/Dockerfile", progress)) == message


def test_failure_shows_only_the_last_twenty_lines() -> None:
    progress = BuildProgress()
    output = "".join(f"{number}\n" for number in range(30)).encode()
    vertex = {"digest": "d", "name": "[2/2] RUN x", "started": {"seconds": 1}}
    messages = [
        *traces(vertexes=[vertex], logs=[{"vertex": "d", "msg": output}]),
        *traces(vertexes=[{**vertex, "completed": {"seconds": 2}, "error": "exit code: 1"}]),
        {"error": "exit code: 1"},
    ]
    for message in messages:
        list(progress.feed(message))
    shown = str(build_error("shop", "Dockerfile", progress)).split("\n")[2:]
    assert shown == [f"  {number}" for number in range(10, 30)]


def test_output_is_cut_into_lines_however_it_arrives() -> None:
    progress = BuildProgress()
    vertex = {"digest": "d", "name": "RUN x", "started": {"seconds": 1}}
    chunks = [b"on", b"e\r\ntw", b"o\n\xff\nthree"]
    lines = [line for message in traces(vertexes=[vertex]) for line in progress.feed(message)]
    for chunk in chunks:
        for message in traces(logs=[{"vertex": "d", "msg": chunk}]):
            lines += progress.feed(message)
    done = {**vertex, "completed": {"seconds": 1, "nanos": 250_000_000}}
    for message in traces(vertexes=[done]):
        lines += progress.feed(message)
    assert lines == [
        "#1 RUN x",
        "#1 one",
        "#1 two",
        "#1 \N{REPLACEMENT CHARACTER}",
        "#1 three",
        "#1 DONE 0.2s",
    ]


def test_layer_download_is_shown_by_tenths() -> None:
    progress = BuildProgress()
    lines: list[str] = []
    for current in range(0, 1001, 10):
        status = {"id": "layer", "vertex": "d", "current": current, "total": 1000}
        for message in traces(statuses=[status]):
            lines += progress.feed(message)
    assert lines == [f"#1 layer {amount}/1000 bytes" for amount in range(0, 1001, 100)]


def test_step_that_ends_with_the_failing_one_is_not_blamed() -> None:
    progress = BuildProgress()
    done = {"started": {"seconds": 1}, "completed": {"seconds": 2}}
    beside = {"digest": "a", "name": "RUN beside", "error": "context canceled", **done}
    failing = {"digest": "b", "name": "RUN failing", "error": "exit code: 1", **done}
    for message in [*traces(vertexes=[beside, failing]), {"error": "exit code: 1"}]:
        list(progress.feed(message))
    step = progress.failed_step()
    assert step is not None
    assert step.name == "RUN failing"


def test_missing_build_secret_says_where_secrets_come_from() -> None:
    progress = BuildProgress()
    vertex = {
        "digest": "d",
        "name": "[2/2] RUN --mount=type=secret,id=token,required=true x",
        "started": {"seconds": 1},
        "completed": {"seconds": 1},
        "error": "secret token not found: not found",
    }
    for message in [*traces(vertexes=[vertex]), {"error": "secret token not found: not found"}]:
        list(progress.feed(message))
    assert str(build_error("shop", "Dockerfile", progress)) == (
        "image 'shop': Dockerfile step should find its secret (got: secret token not found: "
        'not found in "RUN --mount=type=secret,id=token,required=true x"). '
        "Only docker.RemoteImage hands secrets to a build, as build.secrets."
    )


@pytest.mark.parametrize("aux", ["not base64 !", base64.b64encode(b"\xff\xff").decode(), None])
def test_trace_of_an_unknown_kind_is_passed_over(aux: str | None) -> None:
    progress = BuildProgress()
    assert list(progress.feed({"id": "moby.buildkit.trace", "aux": aux})) == []
