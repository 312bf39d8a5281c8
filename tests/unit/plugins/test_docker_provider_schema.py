"""The schema comes from the SDK, and the field tables leave nothing out."""

import pytest

from plugins.docker.registry import HANDLERS, find_resource
from plugins.docker.schema import package_schema, resource_schema, schema_text
from plugins.docker.schema_from_sdk import schema_json


def test_schema_file_is_what_the_sdk_says() -> None:
    assert schema_text() == schema_json()


@pytest.mark.parametrize("token", sorted(HANDLERS))
def test_field_table_names_every_input_of_the_sdk(token: str) -> None:
    assert set(find_resource(token).fields) == set(resource_schema(token).inputs.properties)


@pytest.mark.parametrize("token", sorted(HANDLERS))
def test_handler_is_registered_under_its_own_token(token: str) -> None:
    assert find_resource(token).token == token


def test_schema_has_every_resource_of_the_package() -> None:
    names = {token.rpartition(":")[2] for token in package_schema()["resources"]}
    assert names == {
        "BuildxBuilder",
        "Container",
        "Image",
        "Network",
        "Plugin",
        "RegistryImage",
        "RemoteImage",
        "Secret",
        "Service",
        "ServiceConfig",
        "Tag",
        "Volume",
    }
