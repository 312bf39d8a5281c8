"""Where the state finds our own providers again."""

import importlib

import pytest
from pulumi.dynamic import ResourceProvider


@pytest.mark.parametrize(
    "path",
    [
        "infra.engine.data_guard._DataGuardProvider",
        "infra.engine.generated_secret._RandomProvider",
        "infra.engine.host_port._HostPortProvider",
        "infra.engine.image_cleanup._ImageCleanupProvider",
        "infra.engine.pushed_image._PushedImageProvider",
        "infra.engine.readiness._ReadinessProvider",
        "infra.engine.registry_login._RegistryLoginProvider",
        "infra.engine.service_readiness._ServiceReadinessProvider",
        "infra.engine.volume_files._VolumeFilesProvider",
        "infra.resources.certificate._CertificateProvider",
        "infra.services.nginx.configuration._ConfigurationProvider",
        "infra.services.nginx.configuration._TrialProvider",
    ],
)
def test_provider_is_where_the_states_of_existing_stacks_name_it(path: str) -> None:
    """The state keeps module and class alone: moved, `refresh` and `destroy` of a stack fail."""
    module, _, name = path.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), name), ResourceProvider)
