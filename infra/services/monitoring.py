"""Monitoring: Prometheus with the stack's targets and alerts, and what tells it of the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_docker as docker

from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.volume import create_record_volume, mount_volume
from infra.settings import MonitoringSettings, PortSettings

PROMETHEUS_IMAGE = ImageRecipe(role="prometheus", base="prometheus", context="docker/prometheus")
EXPORTER_IMAGE = ImageRecipe(role="exporter", base="python", context="docker/exporter")
_PORT = 9090
_UID = _GID = 65534
_BACKUPS_UID = _BACKUPS_GID = 70
_EXPORTER_MEMORY_MB, _EXPORTER_CPUS, _EXPORTER_STOP_SECONDS = 64, 0.2, 5
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Inputs of the service.

    Parameters
    ----------
    networks
        Of Prometheus: one on which it finds the portal, and one that can publish a port.
    exporter_network
        On which the exporter is found, and finds Nginx.
    watched
        Variables of the exporter: what there is to watch, see docker/exporter/exporter.py.
    backups
        The folder of the backups; None without any.
    depends_on
        What is watched: its alerts are not to fire while it starts for the first time.
    """

    prometheus_image: pulumi.Input[str]
    exporter_image: pulumi.Input[str]
    networks: Sequence[pulumi.Input[str]]
    exporter_network: pulumi.Input[str]
    ports: PortSettings
    settings: MonitoringSettings
    defaults: ContainerDefaults
    watched: Mapping[str, str]
    backups: docker.ContainerMountArgs | None
    depends_on: Sequence[pulumi.Resource]


class Monitoring(pulumi.ComponentResource):
    """Prometheus and an exporter; neither has a secret, and neither changes anything."""

    url: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Monitoring", name, None, opts)
        exporter = run_container(_exporter(args), args.defaults, self)
        prometheus = replace(self._describe(args), depends_on=[exporter.ready])
        server = run_container(prometheus, args.defaults, self)
        self.url = pulumi.Output.concat("http://", server.published(_PORT))
        self.register_outputs({})

    def _describe(self, args: MonitoringArgs) -> ContainerArgs:
        own = args.settings
        record = create_record_volume("prometheus", args.defaults.naming, self)
        return ContainerArgs(
            role="prometheus",
            image=args.prometheus_image,
            uid=_UID,
            gid=_GID,
            networks=args.networks,
            command=[f"--storage.tsdb.retention.time={own.retention_days}d"],
            environment={
                "STACK": args.defaults.naming.stack,
                # Go returns memory before the limit ends the process.
                "GOMEMLIMIT": str(own.memory_mb * _MEBIBYTE * 9 // 10),
            },
            mounts=[mount_volume(record.name, "/prometheus")],
            ports=[PublishedPort.of(args.ports, "prometheus", _PORT)],
            tmpfs_mb={"/tmp": 16},
            memory_mb=own.memory_mb,
            cpus=own.cpus,
            # It writes its newest series down.
            stop_seconds=30,
        )


def _exporter(args: MonitoringArgs) -> ContainerArgs:
    return ContainerArgs(
        role="exporter",
        image=args.exporter_image,
        uid=_BACKUPS_UID,
        gid=_BACKUPS_GID,
        networks=[args.exporter_network],
        environment=args.watched,
        mounts=[] if args.backups is None else [args.backups],
        tmpfs_mb={"/tmp": 1},
        memory_mb=_EXPORTER_MEMORY_MB,
        cpus=_EXPORTER_CPUS,
        stop_seconds=_EXPORTER_STOP_SECONDS,
        depends_on=args.depends_on,
    )
