"""The docker provider's image resources on a real engine, with images of this machine's shell."""

from dataclasses import replace

import pytest

from infra.naming import STACK_LABEL
from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.errors import ResourceError
from plugins.docker.functions.catalog import FUNCTIONS
from plugins.docker.functions.lookup import Lookup
from plugins.docker.registry_auth import RegistryCredentials
from plugins.docker.resource import CreateRequest, DeleteRequest, ReadRequest
from plugins.docker.resources.image import ImageResource
from plugins.docker.resources.registry_image import RegistryImageResource
from plugins.docker.resources.remote_image import RemoteImageResource
from plugins.docker.resources.tag import TagResource
from tests.support.image_program import BASE, STACK, Program, read
from tests.support.image_registry import ImageRegistry


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
