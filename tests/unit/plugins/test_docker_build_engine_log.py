"""Lines for the user arrive at Pulumi's engine, and never stop a build."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from plugins.docker.build.engine_log import EngineLog

URN = "urn:pulumi:dev::shop::docker:index/image:Image::shop"


class PulumiEngine(engine_pb2_grpc.EngineServicer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, int, bool]] = []
        self.address = ""

    def Log(self, request: Any, context: grpc.ServicerContext) -> Any:
        line = (request.urn, request.message, request.severity, request.ephemeral)
        self.received.append(line)
        return empty_pb2.Empty()


@pytest.fixture
def pulumi_engine() -> Iterator[PulumiEngine]:
    engine = PulumiEngine()
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    engine.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield engine
    server.stop(grace=None)


def test_only_status_lines_pass_by(pulumi_engine: PulumiEngine) -> None:
    log = EngineLog(pulumi_engine.address)
    log.status(URN, "building")
    log.info(URN, "built")
    log.warning(URN, "old engine")
    assert pulumi_engine.received == [
        (URN, "building", engine_pb2.INFO, True),
        (URN, "built", engine_pb2.INFO, False),
        (URN, "old engine", engine_pb2.WARNING, False),
    ]


def test_empty_line_is_not_sent(pulumi_engine: PulumiEngine) -> None:
    EngineLog(pulumi_engine.address).status(URN, "")
    assert pulumi_engine.received == []


@pytest.mark.parametrize("address", ["", "127.0.0.1:1"])
def test_engine_that_is_not_there_is_no_error(address: str) -> None:
    EngineLog(address).info(URN, "built")
