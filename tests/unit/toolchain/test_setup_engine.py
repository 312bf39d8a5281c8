"""Which Docker engine is taken, and when one is started."""

import hashlib
import io
import json
import os
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from toolchain.setup import local_engine
from toolchain.setup.console import Console
from toolchain.setup.engine_address import EngineAddress, find_engine
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.errors import SetupError
from toolchain.setup.local_engine import LocalEngine, holds
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps import docker_engine
from toolchain.setup.steps.docker_engine import DockerEngine, is_debian, refuse_elsewhere
from toolchain.setup.work import Work

ANSWERS = {
    "/version": {"Version": "20.10.24"},
    "/images/devportal/base-redis%3A7-1/json": {"Id": "sha256:1"},
}


class FakeEngine(BaseHTTPRequestHandler):
    """Answers what a Docker engine answers, 404 for everything else."""

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path)
        body = json.dumps(answer or {"message": "no such object"}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return

    def address_string(self) -> str:
        return "unix"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineAddress]:
    """An engine on a Unix socket."""
    path = tmp_path / "docker.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), FakeEngine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield EngineAddress(f"unix://{path}", "DOCKER_HOST")
        server.shutdown()


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work("docker engine", Console(io.StringIO()), tmp_path / "log", threading.Event())


def test_docker_host_comes_first(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://10.0.0.9:2376", "DOCKER_TLS_VERIFY": "1", "HOME": "/h"}
    assert find_engine(environ) == EngineAddress(
        "tcp://10.0.0.9:2376", "DOCKER_HOST", Path("/h/.docker")
    )


def test_current_docker_context_comes_second(tmp_path: Path) -> None:
    identity = hashlib.sha256(b"lab").hexdigest()
    meta = tmp_path / ".docker" / "contexts" / "meta" / identity / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": "ssh://lab"}}}))
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "lab"}')
    assert find_engine({"HOME": str(tmp_path)}) == EngineAddress("ssh://lab", "docker context")


def test_default_socket_comes_last(tmp_path: Path) -> None:
    assert find_engine({"HOME": str(tmp_path)}) == EngineAddress("unix:///var/run/docker.sock")


def test_context_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        find_engine({"HOME": str(tmp_path), "DOCKER_CONTEXT": "gone"})
    assert str(error.value) == (
        "docker context 'gone': should be one of default. Set docker:context or DOCKER_CONTEXT to "
        "one of them, or run 'docker context create'."
    )


def test_engine_that_answers_is_taken(engine: EngineAddress, tmp_path: Path) -> None:
    project = Project(ROOT, {"DOCKER_HOST": engine.host, "HOME": str(tmp_path)})
    assert DockerEngine(project).find() == f"20.10.24, {engine.host}"


def test_engine_older_than_20_10_is_refused(
    engine: EngineAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "/version", {"Version": "19.03.15"})
    project = Project(ROOT, {"DOCKER_HOST": engine.host, "HOME": str(tmp_path)})
    with pytest.raises(SetupError) as error:
        DockerEngine(project).find()
    assert str(error.value) == (
        f"docker engine: the engine at {engine.host} should be 20.10 or newer (got 19.03.15). "
        "Upgrade it, or choose another with DOCKER_HOST."
    )


def test_engine_says_which_images_it_holds(engine: EngineAddress) -> None:
    api = EngineApi(engine)
    assert api.has_image("devportal/base-redis:7-1")
    assert not api.has_image("devportal/base-redis:7-2")


@pytest.mark.parametrize("host", ["unix:///no/such.sock", "tcp://127.0.0.1:1", "npipe://x"])
def test_engine_that_does_not_answer_has_no_version(host: str) -> None:
    assert EngineApi(EngineAddress(host)).version() is None


def test_named_engine_that_does_not_answer_is_never_replaced() -> None:
    with pytest.raises(SetupError) as error:
        refuse_elsewhere(EngineAddress("tcp://lab:2375", "DOCKER_HOST"), "docker engine")
    assert str(error.value) == (
        "docker engine: DOCKER_HOST should name an engine that answers (got 'tcp://lab:2375'). "
        "Start that engine, or choose another."
    )


def test_without_root_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(docker_engine, "_SOCKET", tmp_path / "docker.sock")
    with pytest.raises(SetupError) as error:
        refuse_elsewhere(EngineAddress("unix:///var/run/docker.sock"), "docker engine")
    assert str(error.value) == (
        "docker engine: an engine should answer at unix:///var/run/docker.sock (got no answer). "
        "Install Docker Engine 20.10 or newer as https://docs.docker.com/engine/install/ says, "
        "start it, and run this again; on Debian and Ubuntu `make up` as root does both."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=debian\n", True),
        ('NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ('ID="fedora"\n', False),
    ],
)
def test_debian_and_its_children_take_the_package(
    text: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / "os-release").write_text(text)
    assert is_debian(tmp_path / "os-release") is expected


def test_process_id_of_another_program_is_not_a_running_engine(tmp_path: Path) -> None:
    pid_file = tmp_path / "docker.pid"
    pid_file.write_text(str(os.getpid()))
    own_name = Path("/proc/self/comm").read_text().strip()
    assert holds(pid_file, own_name)
    assert not holds(pid_file, "dockerd")


def test_dead_process_that_nobody_has_waited_for_is_not_running(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / "docker.pid").write_text(str(dead.pid))
    assert not holds(tmp_path / "docker.pid", "true")
    dead.wait()


def put_dockerd(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program `dockerd` first on PATH."""
    folder.mkdir()
    (folder / "dockerd").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "dockerd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_engine_is_started_over_the_process_ids_of_a_killed_one(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    containerd = run / "docker" / "containerd" / "containerd.pid"
    containerd.parent.mkdir(parents=True)
    for stale in (run / "docker.pid", containerd):
        stale.write_text(str(os.getpid()))
    put_dockerd(
        tmp_path / "bin",
        f"[ -e {run}/docker.pid ] || [ -e {containerd} ] || touch {tmp_path}/answers",
        monkeypatch,
    )
    answers = (tmp_path / "answers").exists
    LocalEngine(tmp_path / "dockerd.log", answers, run, tmp_path / "no-systemd").start(work)
    assert answers()


def test_engine_that_ends_at_once_is_told_with_its_last_lines(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_dockerd(tmp_path / "bin", "echo no cgroups; exit 1", monkeypatch)
    log = tmp_path / "dockerd.log"
    engine = LocalEngine(log, lambda: False, tmp_path, tmp_path / "no-systemd")
    with pytest.raises(SetupError) as error:
        engine.start(work)
    assert str(error.value) == (
        "docker engine: the started engine should answer (got: it ended with 1). Mend what its "
        f"last lines say and run this again.\n    no cgroups\n    Whole output: {log}"
    )


def test_engine_is_installed_from_the_machines_packages(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_dockerd(tmp_path / "bin", "exit 1", monkeypatch)
    for name in ("dpkg", "apt-get"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $* $DEBIAN_FRONTEND" >> {tmp_path}/calls\n')
        program.chmod(0o755)
    LocalEngine(tmp_path / "dockerd.log", lambda: True).install(work)
    apt = "apt-get -y -o DPkg::Lock::Timeout=300"
    assert (tmp_path / "calls").read_text().splitlines() == [
        "dpkg --configure -a noninteractive",
        f"{apt} update noninteractive",
        f"{apt} --no-install-recommends install docker.io noninteractive",
    ]


def test_systemd_starts_the_engine_where_it_runs(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_dockerd(tmp_path / "bin", "exit 1", monkeypatch)
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/answers\n')
    systemctl.chmod(0o755)
    answers = tmp_path / "answers"
    LocalEngine(tmp_path / "log", answers.exists, systemd_folder=tmp_path).start(work)
    assert answers.read_text() == "start docker\n"


def test_engine_that_is_still_starting_is_waited_for(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_dockerd(tmp_path / "bin", f"touch {tmp_path}/second", monkeypatch)
    monkeypatch.setattr(local_engine, "holds", lambda pid_file, program: True)
    answers = iter([False, False, True])
    LocalEngine(tmp_path / "log", answers.__next__, tmp_path, tmp_path / "none").start(work)
    assert not (tmp_path / "second").exists()
    assert next(answers, "asked until it answered") == "asked until it answered"


def test_socket_that_is_not_open_to_the_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "docker.sock"
    path.touch()
    monkeypatch.setattr(docker_engine, "_SOCKET", path)
    monkeypatch.setattr(os, "access", lambda file, mode: False)
    with pytest.raises(SetupError) as error:
        refuse_elsewhere(EngineAddress("unix:///var/run/docker.sock"), "docker engine")
    assert str(error.value) == (
        f"docker engine: {path} should be open to you (got: permission denied). "
        "Join the group docker and log in again, or run this as root."
    )
