"""Nginx: TLS, limits and static files in front of the portal's replicas."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import ContainerArgs, run_container
from infra.resources.image import ROOT, ImageRecipe
from infra.naming import Naming
from infra.services.nginx.configuration import ConfigurationArgs, NginxConfiguration
from infra.services.nginx.files import render_files, site_url
from infra.services.nginx.live import CONFIGURATION_PATH
from infra.settings.loading import Settings
from infra.resources.certificate import TlsMaterial
from infra.resources.volume import create_files_volume, mount_volume

NGINX_IMAGE = ImageRecipe(role="nginx", base="nginx", context="docker/nginx")
_UID = _GID = 101
_HTTP, _HTTPS = 8080, 8443


@dataclass(frozen=True, kw_only=True)
class NginxArgs:
    """What nginx is given: its image, the networks of clients and portal, whom it passes on to.

    Parameters
    ----------
    peers
        `host:port` of every replica.
    """

    image: pulumi.Input[str]
    edge_network: pulumi.Input[str]
    app_network: pulumi.Input[str]
    peers: pulumi.Input[list[str]]
    tls: TlsMaterial


class Nginx(pulumi.ComponentResource):
    """The only container of a production stack that publishes ports."""

    url: pulumi.Output[str]
    """Where clients find the portal, without a slash at the end."""

    def __init__(
        self,
        name: str,
        args: NginxArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Nginx", name, None, opts)
        volume = create_files_volume("nginx", Naming(settings.stack), parent=self)
        configuration = self._configure(volume.name, args, settings)
        container = run_container(
            "nginx", _container(args, volume.name, configuration, settings), settings, self
        )
        self.url = container.ports.apply(lambda ports: _url(ports, settings))
        self.register_outputs({})

    def _configure(
        self, volume: pulumi.Output[str], args: NginxArgs, settings: Settings
    ) -> NginxConfiguration:
        own_code = settings.app.image is None
        configuration = ConfigurationArgs(
            stack=settings.stack,
            volume=volume,
            image=args.image,
            uid=_UID,
            gid=_GID,
            files=render_files(settings),
            secret_files={"server.crt": args.tls.certificate, "server.key": args.tls.key},
            peers=args.peers,
            drain_seconds=settings.app.drain_seconds,
            # An image from elsewhere brings files of its own, which may be older or newer.
            assets=ROOT / "app" / "static" if own_code else None,
        )
        opts = pulumi.ResourceOptions(parent=self)
        return NginxConfiguration("nginx-configuration", configuration, opts)


def _container(
    args: NginxArgs,
    volume: pulumi.Output[str],
    configuration: NginxConfiguration,
    settings: Settings,
) -> ContainerArgs:
    own = settings.nginx
    # The id of the configuration is the volume's name: known only once it is written.
    written = pulumi.Output.all(volume, configuration.id).apply(lambda known: known[0])
    return ContainerArgs(
        role="nginx",
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=[args.edge_network, args.app_network],
        mounts=[mount_volume(written, CONFIGURATION_PATH, read_only=True)],
        ports=_ports(settings),
        # Bodies that are larger than its buffers wait there.
        tmpfs_mb={"/tmp": max(64, 8 * own.max_body_mb)},
        memory_mb=own.memory_mb,
        cpus=own.cpus,
        stop_signal="SIGQUIT",
        stop_seconds=settings.app.drain_seconds,
    )


def _ports(settings: Settings) -> list[docker.ContainerPortArgs]:
    ports = settings.ports
    published = [(_HTTPS, ports.https, "tcp"), (_HTTP, ports.http, "tcp")]
    if settings.nginx.http3:
        published.append((_HTTPS, ports.https, "udp"))
    return [
        docker.ContainerPortArgs(
            internal=internal, external=external or None, ip=ports.bind_address, protocol=protocol
        )
        for internal, external, protocol in published
    ]


def _url(ports: Sequence[docker.outputs.ContainerPort] | None, settings: Settings) -> str:
    for port in ports or []:
        if port.internal == _HTTPS and settings.ports.https == 0:
            return f"https://{settings.domain}:{port.external}"
    return site_url(settings)
