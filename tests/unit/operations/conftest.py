"""A stack in a folder of its own, a `pulumi` that records its calls, and an engine in memory."""

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import NotFound

from operations import containers, runs
from operations.stack import Stack
from toolchain.setup.atomic import write_file
from toolchain.setup.project import ROOT

MakeStack = Callable[[str], Stack]
OWN = {"label": ["devportal.stack=dev", "devportal.spec"]}
"""What the containers of the development stack are selected by."""


@pytest.fixture
def make_stack(tmp_path: Path) -> MakeStack:
    """Stacks of a project with this one's stack files; `pulumi` ends with what `ends` holds."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        write_file(tmp_path / name, (ROOT / name).read_text())
    write_program(
        tmp_path, "pulumi", f'echo "$*" >> {tmp_path}/calls; exec sh {tmp_path}/ends "$@"'
    )
    write_file(tmp_path / "ends", "exit 0\n")
    environ = {
        "PATH": f"{tmp_path}/bin:/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "of the test",
    }
    return lambda name: Stack(name, environ, tmp_path)


@pytest.fixture(autouse=True)
def this_is_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests counts as a run that goes on."""
    monkeypatch.setattr(runs, "_PULUMI", (Path("/proc/self/comm").read_text().strip(),))


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A development stack."""
    return make_stack("dev")


def write_state(stack: Stack, text: str = '{"checkpoint": {}}') -> None:
    """Give the stack a state in its backend."""
    assert stack.state is not None
    write_file(stack.state, text)


def calls(stack: Stack) -> list[str]:
    """How `pulumi` was called."""
    record = stack.root / "calls"
    return record.read_text().splitlines() if record.exists() else []


def given(stack: Stack, **variables: str) -> Stack:
    """The stack in another environment."""
    return replace(stack, environ={**stack.environ, **variables})


def elsewhere(stack: Stack) -> Stack:
    """The stack with its state in a backend that is no folder."""
    return given(stack, PULUMI_BACKEND_URL="s3://states")


def write_program(folder: Path, name: str, script: str) -> None:
    """Put a program on the PATH of the folder's stacks."""
    program = folder / "bin" / name
    write_file(program, f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def archive(text: str) -> tuple[list[bytes], dict[str, Any]]:
    """A file as the engine gives it out of a container."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return [packed.getvalue()[:100], packed.getvalue()[100:]], {}


def fake_container(
    name: str, role: str, *, health: str | None = None, status: str = "running"
) -> MagicMock:
    """A container with one published port."""
    made = MagicMock(id=f"id-{name}", status=status, labels={"devportal.role": role})
    made.name = name
    described = {"Status": status, **({"Health": {"Status": health}} if health else {})}
    config, host = {"StopTimeout": 35}, {"PidsLimit": 256}
    made.attrs = {"Id": made.id, "State": described, "Config": config, "HostConfig": host}
    made.ports = {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}], "9/tcp": None}
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MagicMock:
    """The stack's engine, with no container, no network and no volume; nobody works on it."""
    client = MagicMock(**{"info.return_value": {"ID": "of the test"}})
    monkeypatch.setattr(runs, "_FOLDERS", (tmp_path,))
    client.containers.list.return_value = []
    client.networks.list.return_value = []
    client.volumes.list.return_value = []
    client.volumes.get.side_effect = NotFound("no such volume")
    monkeypatch.setattr(containers, "connect", lambda address: client)
    return client
