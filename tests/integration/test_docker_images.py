"""The docker provider's image resources on a real engine, with images of this machine's shell."""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
import pytest

from infra.naming import STACK_LABEL
from plugins.docker.build.cancellation import Cancellation, CancelledError
from plugins.docker.connection import connect
from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.context import Context
from plugins.docker.engine_address import candidate_addresses
from plugins.docker.errors import ResourceError
from plugins.docker.functions.catalog import FUNCTIONS
from plugins.docker.functions.lookup import Lookup
from plugins.docker.registry_auth import RegistryCredentials
from plugins.docker.resource import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    ReadRequest,
    Resource,
)
from plugins.docker.resources.image import ImageResource
from plugins.docker.resources.registry_image import RegistryImageResource
from plugins.docker.resources.remote_image import RemoteImageResource
from plugins.docker.resources.tag import TagResource
from tests.support.image_registry import ImageRegistry
from tests.support.machine import TEST_STACK_PREFIX, remove_stack_objects

STACK = f"{TEST_STACK_PREFIX}{os.getpid()}-images"
BASE = f"{STACK}-base:1"
PROGRAMS = ("sh", "cat", "sleep")


def base_archive() -> bytes:
    """A root file system with a shell, `cat` and `sleep` of this machine and their libraries."""
    programs = [shutil.which(name) or name for name in PROGRAMS]
    listed = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    libraries = sorted(set(re.findall(r"(/\S+) \(0x", listed)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name, path in zip(PROGRAMS, programs, strict=True):
            archive.add(path, f"bin/{name}")
        for path in libraries:
            archive.add(path, path.lstrip("/"))
    return buffer.getvalue()


@pytest.fixture(scope="module", autouse=True)
def base_image(engine: docker.DockerClient) -> Iterator[None]:
    repository, tag = BASE.split(":")
    engine.api.import_image_from_data(
        base_archive(), repository=repository, tag=tag, changes=[f"LABEL {STACK_LABEL}={STACK}"]
    )
    yield
    remove_stack_objects(engine, STACK)


@dataclass
class Program:
    """A program's folder with one build context, and what the provider said while it ran."""

    folder: Path
    context: Context
    lines: list[str] = field(default_factory=list)

    def dockerfile(self, *instructions: str, base: str = BASE) -> None:
        text = "\n".join((f"FROM {base}", f"LABEL {STACK_LABEL}={STACK}", *instructions))
        (self.folder / "Dockerfile").write_text(text + "\n")

    def image(self, name: str, **build: Any) -> dict[str, Any]:
        """Checked inputs of an image that is not pushed, built without network."""
        given = {
            "imageName": f"{STACK}-{name}:1",
            "skipPush": True,
            "build": {"context": ".", "network": "none", **build},
        }
        return checked(ImageResource(), given)

    def build(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return ImageResource().create(self.context, CreateRequest(inputs=inputs)).outputs


@pytest.fixture
def program(
    engine: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Program:
    monkeypatch.chdir(tmp_path)
    context = Context(
        urn="urn",
        engine=None,  # type: ignore[arg-type]
        client=engine,
        settings=ConnectionSettings(),
    )
    program = Program(tmp_path, context)
    program.context = replace(context, show_status=program.lines.append)
    return program


def checked(resource: Resource, given: dict[str, Any]) -> dict[str, Any]:
    result = resource.check(CheckRequest(name="x", old_inputs=None, inputs=given))
    assert result.failures == ()
    return result.inputs


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    request = DiffRequest(id="x", state={"__inputs": old}, old_inputs=old, inputs=new)
    return list(ImageResource().diff(request).changes)


def read(program: Program, resource: Resource, made: Any, inputs: dict[str, Any]) -> Any:
    request = ReadRequest(id=made.id, state=made.outputs, inputs=inputs)
    return resource.read(program.context, request)


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


def test_removed_image_is_read_as_gone_and_comes_back(program: Program) -> None:
    program.dockerfile("ENV X=1")
    inputs = program.image("drift")
    made = ImageResource().create(program.context, CreateRequest(inputs=inputs))
    assert read(program, ImageResource(), made, inputs).outputs == made.outputs
    program.context.client.images.remove(made.outputs["imageName"], force=True)
    assert read(program, ImageResource(), made, inputs) is None
    again = ImageResource().create(program.context, CreateRequest(inputs=inputs))
    assert read(program, ImageResource(), again, inputs).outputs == again.outputs


def test_deleted_resource_leaves_the_image(program: Program) -> None:
    program.dockerfile("ENV X=2")
    made = ImageResource().create(program.context, CreateRequest(inputs=program.image("kept")))
    ImageResource().delete(program.context, DeleteRequest(id=made.id, state=made.outputs))
    assert program.context.client.images.get(made.outputs["repoDigest"])


def test_local_remote_image_is_found_and_kept_while_in_use(program: Program) -> None:
    client = program.context.client
    client.api.tag(BASE, f"{STACK}-used", "1")
    name = f"{STACK}-used:1"
    made = RemoteImageResource().create(program.context, CreateRequest(inputs={"name": name}))
    assert made.id == f"{client.images.get(BASE).id}{name}"
    inputs = {"name": name}
    assert read(program, RemoteImageResource(), made, inputs).id == made.id
    client.api.remove_image(BASE)
    container = client.containers.create(name, ["sleep", "1"], labels={STACK_LABEL: STACK})
    try:
        with pytest.raises(ResourceError) as failure:
            RemoteImageResource().delete(
                program.context, DeleteRequest(id=made.id, state=made.outputs)
            )
    finally:
        container.remove()
        client.api.tag(name, *BASE.split(":"))
    assert str(failure.value).startswith(
        f"image '{name}': should not be in use when it is removed (got: conflict: "
    )
    RemoteImageResource().delete(program.context, DeleteRequest(id=made.id, state=made.outputs))
    assert read(program, RemoteImageResource(), made, inputs) is None


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


def test_tag_is_made_and_made_again_after_drift(program: Program) -> None:
    target = f"{STACK}-tagged:2"
    inputs = {"sourceImage": BASE, "targetImage": target}
    made = TagResource().create(program.context, CreateRequest(inputs=inputs))
    assert program.context.client.images.get(target).id == made.outputs["sourceImageId"]
    assert read(program, TagResource(), made, inputs) is not None
    program.context.client.api.remove_image(target)
    assert read(program, TagResource(), made, inputs) is None


def test_image_is_pushed_pulled_and_removed_with_credentials(program: Program) -> None:
    client = program.context.client
    with ImageRegistry("me", "very-secret") as registry:
        name = f"{registry.address}/shop:1"
        client.api.tag(BASE, f"{registry.address}/shop", "1")
        auth = {"address": registry.address, "username": "me", "password": "very-secret"}
        trusted = replace(program.context, settings=ConnectionSettings(registry_auth=(auth,)))
        pushed = RegistryImageResource().create(trusted, CreateRequest(inputs={"name": name}))
        assert set(registry.manifests) == {"shop:1", f"shop:{pushed.id}"}
        request = ReadRequest(id=pushed.id, state=pushed.outputs, inputs={"name": name})
        assert RegistryImageResource().read(trusted, request) is not None
        client.api.remove_image(name)

        with pytest.raises(ResourceError) as failure:
            RemoteImageResource().create(program.context, CreateRequest(inputs={"name": name}))
        assert f"image '{name}': should be present locally or in a registry" in str(failure.value)
        pulled = RemoteImageResource().create(trusted, CreateRequest(inputs={"name": name}))
        assert pulled.outputs["repoDigest"] == f"{registry.address}/shop@{pushed.id}"
        RemoteImageResource().delete(trusted, DeleteRequest(id="x", state=pulled.outputs))

        state = DeleteRequest(id=pushed.id, state=pushed.outputs)
        RegistryImageResource().delete(trusted, state)
        assert f"shop:{pushed.id}" not in registry.manifests


def test_private_base_image_is_pulled_with_the_providers_credentials(program: Program) -> None:
    client = program.context.client
    with ImageRegistry("me", "very-secret") as registry:
        private = f"{registry.address}/private:1"
        client.api.tag(BASE, f"{registry.address}/private", "1")
        auth = {"address": registry.address, "username": "me", "password": "very-secret"}
        trusted = replace(program.context, settings=ConnectionSettings(registry_auth=(auth,)))
        RegistryImageResource().create(trusted, CreateRequest(inputs={"name": private}))
        client.api.remove_image(private)

        program.dockerfile("RUN echo on a private base", base=private)
        inputs = program.image("private")
        with pytest.raises(ResourceError) as failure:
            program.build(inputs)
        assert f"image {private} of Dockerfile should be present locally" in str(failure.value)
        made = ImageResource().create(trusted, CreateRequest(inputs=inputs))
        assert made.outputs["repoDigest"].startswith("sha256:")


# Joins stdin and stdout to the engine's socket, as `docker system dial-stdio` does on the far side.
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


def test_functions_look_up_what_is_there(program: Program) -> None:
    client = program.context.client
    lookup = Lookup(client, RegistryCredentials())
    container = client.containers.run(
        BASE,
        ["sh", "-c", "echo out; echo err >&2"],
        detach=True,
        network_mode="none",
        labels={STACK_LABEL: STACK},
    )
    container.wait()
    logs = FUNCTIONS["docker:index/getLogs:getLogs"].answer(lookup, {"name": container.name})
    assert sorted(logs["logsListStrings"]) == ["err", "out"]
    network = FUNCTIONS["docker:index/getNetwork:getNetwork"].answer(lookup, {"name": "bridge"})
    assert (network["name"], network["driver"]) == ("bridge", "bridge")
    image = FUNCTIONS["docker:index/getRemoteImage:getRemoteImage"].answer(lookup, {"name": BASE})
    assert image["id"] == client.images.get(BASE).id
    container.remove()
