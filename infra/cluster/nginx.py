"""Nginx on each node that carries its label, as one service."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_docker as docker

from infra.cluster.service import EDGE_NODE, Running, Service
from infra.cluster.task import encode
from infra.resources.secret_files import SECRETS_PATH
from infra.services.nginx.component import NginxArgs, describe_nginx
from infra.services.nginx.configuration import NginxTrial
from infra.services.nginx.live import CONFIGURATION_PATH, checksums, render_peers

_BUNDLE_PATH = f"{CONFIGURATION_PATH}.tar"
_FOLDER_MB = 4
_READ_FILE = 0o444
_GIVE_UP_EARLY = {
    "net.ipv4.tcp_retries2": "4",
    "net.ipv4.tcp_keepalive_time": "3",
    "net.ipv4.tcp_keepalive_intvl": "1",
    "net.ipv4.tcp_keepalive_probes": "3",
}
"""Nobody says that a node is gone. After 6 s without a sign of it nginx asks another task what may
be asked twice: by itself the kernel waits a quarter of an hour, and nginx for `answer_seconds`."""
_TLS_FILES = ("server.crt", "server.key")


class EdgeNginx(pulumi.ComponentResource):
    """The service that publishes ports: on each edge node one task, on the node's own ports.

    Its configuration is one Swarm config. Another text is another config, and the tasks are
    replaced one node after the other. The manager tests it before any node gets it; a task that
    fails all the same gives its place back to the one before.
    """

    url: pulumi.Output[str]
    """The portal's base URL, without a slash at the end; every edge node answers to it."""

    def __init__(
        self,
        name: str,
        args: NginxArgs,
        after: Sequence[pulumi.Resource],
        labels: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("devportal:infra:EdgeNginx", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tried = args.configuration(args.defaults.naming.physical("nginx-trial"))
        trial = NginxTrial("nginx-trial", args.defaults.engine, tried, child)
        described = describe_nginx(args)
        described = replace(
            described,
            secret_files=args.tls_files,
            depends_on=[*after, trial],
            tmpfs_mb={**described.tmpfs_mb, CONFIGURATION_PATH: _FOLDER_MB},
        )
        running = Running(
            tasks=0,
            constraints=[EDGE_NODE],
            goes_back=True,
            configs=[self._create_config(args, tried["files"], trial)],
            kernel=_GIVE_UP_EARLY,
            labels=labels,
        )
        service = Service(described, running, args.defaults, child)
        self.url = service.ready.service_name.apply(lambda _: args.site.url)
        self.register_outputs({})

    def _create_config(
        self, args: NginxArgs, files: Mapping[str, str], trial: NginxTrial
    ) -> docker.ServiceTaskSpecContainerSpecConfigArgs:
        packed = pulumi.Output.from_input(args.peers).apply(
            lambda peers: encode(pack({**files, "peers.conf": render_peers(peers)}))
        )
        config = docker.ServiceConfig(
            # Pulumi names it: what is new is there before the service takes it.
            "nginx-configuration",
            data=packed,
            labels=args.defaults.naming.label_list("nginx"),
            # Made before it was tried, one that is refused would have the next `up` make another.
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=False, depends_on=[trial]
            ),
        )
        return docker.ServiceTaskSpecContainerSpecConfigArgs(
            config_id=config.id,
            config_name=config.name,
            file_name=_BUNDLE_PATH,
            file_uid="0",
            file_gid="0",
            file_mode=_READ_FILE,
        )


def pack(files: Mapping[str, str]) -> bytes:
    """A tar of the folder `live`, as `start-nginx` wants it: the same bytes for the same files.

    Certificate and key are links to where the secrets are.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in sorted({**files, "checksums": checksums(files)}.items()):
            entry = tarfile.TarInfo(f"live/{name}")
            entry.size, entry.mode = len(text.encode()), _READ_FILE
            archive.addfile(entry, io.BytesIO(text.encode()))
        for name in _TLS_FILES:
            entry = tarfile.TarInfo(f"live/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, f"{SECRETS_PATH}/{name}"
            archive.addfile(entry)
    return packed.getvalue()
