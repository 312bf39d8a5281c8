"""toolchain/images: what the engine says while it builds."""

import base64
import json
from pathlib import Path

import pytest

from toolchain.images.build_stream import read_build, read_import
from toolchain.images.errors import ImagesError

RECORDED = Path(__file__).resolve().parent / "recorded"


def encode_field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def trace(*fields: bytes) -> bytes:
    message = {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(fields)).decode()}
    return json.dumps(message).encode()


def step(name: str, *, started: bool = True) -> bytes:
    vertex = encode_field(1, b"sha256:v") + encode_field(3, name.encode())
    return encode_field(1, vertex + (encode_field(5, b"\x08\x01") if started else b""))


def output(text: str, vertex: str = "sha256:v") -> bytes:
    # 0x18 0x01 is `stream: 1`, a number that is skipped.
    log = encode_field(1, vertex.encode()) + b"\x18\x01" + encode_field(4, text.encode())
    return encode_field(3, log)


IMAGE = b'{"id": "moby.image.id", "aux": {"ID": "sha256:done"}}'


def test_steps_are_told_once_and_only_when_they_start() -> None:
    lines: list[str] = []
    stream = [trace(step("later", started=False), step("RUN x")), trace(step("RUN x")), IMAGE]
    assert read_build(stream, "redis", lines.append) == "sha256:done"
    assert lines == ["Step RUN x"]


def test_output_is_told_in_whole_lines_of_each_step() -> None:
    lines: list[str] = []
    stream = [
        trace(output("Reading pack"), output("other ", vertex="sha256:w")),
        trace(output("ages\nDone")),
        trace(output("step\n", vertex="sha256:w"), output("\n")),
        IMAGE,
    ]
    read_build(stream, "redis", lines.append)
    assert lines == ["Reading packages", "other step", "Done"]


def test_failure_is_told_with_the_steps_last_lines() -> None:
    stream = [
        trace(step("RUN false"), output("no such package\n")),
        b'{"error": "exit code: 100", "errorDetail": {"message": "exit code: 100"}}',
    ]
    with pytest.raises(ImagesError) as caught:
        read_build(stream, "redis", lambda line: None)
    assert str(caught.value) == (
        "redis: should build (got: exit code: 100). "
        "Mend what the last lines say and run this again; what is done is kept."
        "\n    Step RUN false\n    no such package"
    )


def test_stream_that_ends_early_is_a_failure() -> None:
    with pytest.raises(ImagesError) as caught:
        read_build([trace(step("RUN x"))], "redis", lambda line: None)
    assert str(caught.value) == (
        "redis: should build (got: no image). "
        "Mend what the last lines say and run this again; what is done is kept."
        "\n    Step RUN x"
    )


def test_import_gives_the_id_of_the_image() -> None:
    assert read_import([b'{"status": "x"}\r\n', b'{"status": "sha256:0a"}\r\n']) == "sha256:0a"


def test_messages_of_a_real_engine_are_understood() -> None:
    lines: list[str] = []
    stream = (RECORDED / "buildkit_failing_step.jsonl").read_bytes().splitlines()
    with pytest.raises(ImagesError):
        read_build(stream, "redis", lines.append)
    assert lines == [
        "Step [internal] load remote build context",
        "Step copy /context /",
        "Step [internal] load metadata for docker.io/library/tiny:1",
        "Step [1/2] FROM docker.io/library/tiny:1",
        "Step [2/2] RUN echo one; echo two;     exit 3",
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("stream", "got"), [([b'{"error": "unexpected EOF"}'], "unexpected EOF"), ([], "no image")]
)
def test_refused_import_says_why(stream: list[bytes], got: str) -> None:
    with pytest.raises(ImagesError) as caught:
        read_import(stream)
    assert str(caught.value) == (
        f"import: should build (got: {got}). "
        "Mend what the last lines say and run this again; what is done is kept."
    )
