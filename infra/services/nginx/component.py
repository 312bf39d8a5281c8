"""Nginx: TLS, limits and static files in front of the portal's replicas."""

from dataclasses import dataclass, replace
from pathlib import Path

import pulumi

from infra.engine.resource import Props
from infra.resources.certificate import TlsMaterial
from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.volume import create_files_volume, mount_volume
from infra.services.nginx.configuration import NginxConfiguration
from infra.services.nginx.files import Site, render_files
from infra.services.nginx.live import CONFIGURATION_PATH
from infra.settings import NginxSettings

NGINX_IMAGE = ImageRecipe(role="nginx", base="nginx", context="docker/nginx")
_UID = _GID = 101
_HTTP_PORT, _HTTPS_PORT = 8080, 8443
NGINX_ADDRESS = f"nginx:{_HTTPS_PORT}"
"""Where it serves TLS on its networks."""
# For `docker stop` by hand: a value that followed the drain would replace the container.
_STOP_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class NginxArgs:
    """Inputs of the server.

    Parameters
    ----------
    edge_network, app_network
        Networks of the clients and of the replicas.
    peers
        `host:port` of every replica that gets requests.
    assets
        Folder whose files nginx serves itself; None leaves them to the portal.
    """

    image: pulumi.Input[str]
    edge_network: pulumi.Input[str]
    app_network: pulumi.Input[str]
    settings: NginxSettings
    defaults: ContainerDefaults
    site: Site
    peers: pulumi.Input[list[str]]
    tls: TlsMaterial
    assets: Path | None

    @property
    def tls_files(self) -> dict[str, pulumi.Output[str]]:
        """Certificate and key, by the names that the configuration has for them."""
        return {"server.crt": self.tls.certificate, "server.key": self.tls.key}

    def configuration(self, volume: pulumi.Input[str]) -> Props:
        """What the server is to read, in `volume`; see `NginxConfiguration`."""
        return {
            "stack": self.defaults.naming.stack,
            "volume": volume,
            "image": self.image,
            "uid": _UID,
            "gid": _GID,
            "files": render_files(self.settings, self.site, self.assets),
            "secret_files": self.tls_files,
            "peers": self.peers,
            "assets": str(self.assets) if self.assets else "",
            "drain_seconds": self.site.drain_seconds,
        }


class Nginx(pulumi.ComponentResource):
    """The only container of a production stack that publishes ports to others than its machine."""

    url: pulumi.Output[str]
    """The portal's base URL, without a slash at the end."""
    authority: pulumi.Output[str] | None
    """PEM certificate that clients check the server's by; None where that was given."""

    def __init__(self, name: str, args: NginxArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Nginx", name, None, opts)
        volume = create_files_volume("nginx", args.defaults.naming, self)
        configuration = NginxConfiguration(
            "nginx-configuration",
            args.defaults.engine,
            args.configuration(volume.name),
            pulumi.ResourceOptions(parent=self),
        )
        # The configuration's id is the volume's name, known once its files are written.
        mount = mount_volume(configuration.id, CONFIGURATION_PATH, read_only=True)
        described = replace(describe_nginx(args), mounts=[mount])
        server = run_container(described, args.defaults, self)
        self.url = server.published_port(_HTTPS_PORT).apply(args.site.url_on)
        self.authority = args.tls.authority
        self.register_outputs({})


def describe_nginx(args: NginxArgs) -> ContainerArgs:
    """The server, but for where its configuration comes from."""
    own, ports = args.settings, args.site.ports
    published = [
        PublishedPort.of(ports, "http", _HTTP_PORT),
        PublishedPort.of(ports, "https", _HTTPS_PORT),
    ]
    if own.http3:
        published.append(PublishedPort.of(ports, "https", _HTTPS_PORT, "udp"))
    return ContainerArgs(
        role="nginx",
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=[args.edge_network, args.app_network],
        ports=published,
        # What its buffers do not hold: of requests, and of responses.
        tmpfs_mb={"/tmp": own.uploads_mb, "/var/tmp": own.responses_mb},
        memory_mb=own.memory_mb,
        cpus=own.cpus,
        stop_signal="SIGQUIT",
        # Its workers drain for so long (worker_shutdown_timeout); the rest is for the master.
        stop_seconds=_STOP_SECONDS,
        grace_seconds=args.site.drain_seconds + 5,
    )
