"""The docker provider's builds on a real engine, of images of this machine's shell."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.docker.build.cancellation import Cancellation, CancelledError
from plugins.docker.connection import connect
from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.engine_address import candidate_addresses
from plugins.docker.errors import ResourceError
from plugins.docker.resource import CreateRequest
from plugins.docker.resources.image import ImageResource
from plugins.docker.resources.remote_image import RemoteImageResource
from tests.support.image_program import BASE, STACK, Program, changes, checked


def test_build_shows_each_step_and_its_output(program: Program) -> None:
    program.dockerfile("ARG WHO", "RUN echo hello $WHO")
    outputs = program.build(program.image("shown", args={"WHO": STACK}))
    image = program.context.client.api.inspect_image(outputs["imageName"])
    assert outputs["repoDigest"] == image["Id"]
    said = [re.sub(r"^#\d+ (\[[^]]*\] )?", "", line) for line in program.lines]
    # An argument of this run's own: a cached step has no output.
    wanted = [f"RUN echo hello {STACK}", f"hello {STACK}"]
    assert [line for line in said if line in wanted] == wanted


def test_unchanged_context_shows_no_diff_and_a_changed_file_shows_one(program: Program) -> None:
    program.dockerfile("COPY . /app")
    (program.folder / ".dockerignore").write_text("*.log\n")
    before = program.image("diff")
    (program.folder / "ignored.log").write_text("x")
    assert changes(before, program.image("diff")) == []
    (program.folder / "file").write_text("x")
    assert changes(before, program.image("diff")) == ["build.contextDigest"]


def test_ignored_files_stay_out_of_the_image(program: Program) -> None:
    (program.folder / ".dockerignore").write_text("secret\n**/*.log\n!keep.log\n")
    for name in ("secret/key", "deep/down/a.log", "keep.log", "deep/file"):
        path = program.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    program.dockerfile(
        "COPY . /app",
        "RUN [ ! -e /app/secret ] && [ ! -e /app/deep/down/a.log ]",
        "RUN [ -e /app/keep.log ] && [ -e /app/deep/file ]",
    )
    assert program.build(program.image("ignored"))["repoDigest"].startswith("sha256:")


def test_dockerfile_outside_of_the_context_builds(program: Program) -> None:
    (program.folder / "app").mkdir()
    (program.folder / "app" / "file").write_text("x")
    program.dockerfile("COPY file /file")
    inputs = program.image("outside", context="app", dockerfile="Dockerfile")
    assert program.build(inputs)["dockerfile"] == "../Dockerfile"


def test_cache_mount_keeps_its_content_between_builds(program: Program) -> None:
    mount = f"--mount=type=cache,id={STACK},target=/cache"
    program.dockerfile("ARG RUN_NUMBER", f"RUN {mount} echo $RUN_NUMBER >> /cache/runs; "
                       "cat /cache/runs")  # fmt: skip
    program.build(program.image("cache", args={"RUN_NUMBER": "first"}))
    program.lines.clear()
    program.build(program.image("cache", args={"RUN_NUMBER": "second"}))
    output = [line.split(" ", 1)[1] for line in program.lines]
    assert [line for line in output if line in ("first", "second")] == ["first", "second"]


def test_target_and_classic_builder_work(program: Program) -> None:
    program.dockerfile("ENV STAGE=one", f"FROM {BASE}", "RUN false")
    text = (program.folder / "Dockerfile").read_text()
    (program.folder / "Dockerfile").write_text(text.replace(f"FROM {BASE}", f"FROM {BASE} AS a", 1))
    inputs = program.image("classic", target="a", builderVersion="BuilderV1")
    image = program.context.client.images.get(program.build(inputs)["repoDigest"])
    assert "STAGE=one" in image.attrs["Config"]["Env"]


def test_failing_step_is_named_with_its_last_output(program: Program) -> None:
    program.dockerfile("RUN echo before; exit 3")
    with pytest.raises(ResourceError) as failure:
        program.build(program.image("failing"))
    assert str(failure.value) == (
        f"image '{STACK}-failing:1': Dockerfile step should succeed "
        '(got: exit code 3 in "RUN echo before; exit 3"). '
        "Correct Dockerfile or what it copies.\nLast output lines:\n  before"
    )


def test_dockerfile_that_is_none_is_named(program: Program) -> None:
    program.dockerfile("FOO bar")
    with pytest.raises(ResourceError) as failure:
        program.build(program.image("unknown"))
    assert str(failure.value).startswith(
        f"image '{STACK}-unknown:1': Dockerfile should build (got: dockerfile parse error"
    )


def test_missing_secret_of_a_step_is_named(program: Program) -> None:
    program.dockerfile("RUN --mount=type=secret,id=token,required=true cat /run/secrets/token")
    with pytest.raises(ResourceError) as failure:
        program.build(program.image("secretless"))
    assert "Only docker.RemoteImage hands secrets to a build" in str(failure.value)


def test_cancelled_build_ends_on_the_engine(program: Program) -> None:
    # The engine lends a locked mount to one step at a time: the second build gets it only after
    # the first, which sleeps for an hour, has really ended.
    mount = f"--mount=type=cache,id={STACK}-lock,target=/cache,sharing=locked"
    program.dockerfile(f"RUN {mount} echo sleeping; sleep 3600")
    cancellation = Cancellation()

    def cancel_when_asleep(line: str) -> None:
        if line.endswith(" sleeping"):
            cancellation.cancel()

    shown: Callable[[str], None] = cancel_when_asleep
    stopped = replace(program.context, cancellation=cancellation, show_status=shown)
    with pytest.raises(CancelledError):
        ImageResource().create(stopped, CreateRequest(inputs=program.image("cancelled")))
    program.dockerfile(f"RUN {mount} echo awake")
    assert program.build(program.image("cancelled"))["repoDigest"].startswith("sha256:")


def test_build_secret_reaches_its_step_and_nothing_else(program: Program) -> None:
    secret = "very-secret-token"
    (program.folder / "token").write_text(secret + "\n")
    program.dockerfile(
        "RUN --mount=type=secret,id=token read token < /run/secrets/token; "
        f"[ ${{#token}} = {len(secret)} ]"
    )
    build = {"context": ".", "networkMode": "none", "secrets": [{"id": "token", "src": "token"}]}
    (program.folder / ".dockerignore").write_text("token\n")
    inputs = checked(RemoteImageResource(), {"name": f"{STACK}-secret:1", "build": build})
    made = RemoteImageResource().create(program.context, CreateRequest(inputs=inputs))
    history = program.context.client.images.get(made.outputs["imageId"]).history()
    assert any("/run/secrets/token" in step["CreatedBy"] for step in history)
    assert secret not in str(history)
    assert secret not in "".join(program.lines)


_DIAL_STDIO = """
import os, socket, threading
engine = socket.socket(socket.AF_UNIX)
engine.connect({socket!r})
def send():
    while data := os.read(0, 65536):
        engine.sendall(data)
    engine.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while data := engine.recv(65536):
    os.write(1, data)
"""


def test_engine_behind_ssh_builds(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = program.folder / "bin" / "ssh"
    ssh.parent.mkdir()
    engine_socket = candidate_addresses(None, None, os.environ, Path.home())[0].url
    code = _DIAL_STDIO.format(socket=engine_socket.removeprefix("unix://"))
    ssh.write_text(f"#!{sys.executable}\n{code}")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}{os.pathsep}{os.environ['PATH']}")
    client = connect(ConnectionSettings(host="ssh://far"), {})
    program.context = replace(program.context, client=client)
    program.dockerfile("RUN echo built from afar")
    (program.folder / ".dockerignore").write_text("bin\n")
    assert program.build(program.image("ssh"))["repoDigest"].startswith("sha256:")
