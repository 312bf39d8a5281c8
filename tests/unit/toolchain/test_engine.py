"""Which Docker engine is taken, and when one is installed or started; `docker` is a fake."""

import os
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from infra.errors import UserError
from tests.support.fake_programs import FakePrograms
from tests.support.refusals import refusal
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.processes import is_running
from toolchain.setup.project import Project
from toolchain.setup.steps import docker_engine
from toolchain.setup.steps.docker_engine import DockerEngine
from toolchain.setup.work import Work

DEFAULT = "unix:///var/run/docker.sock"
LAB = "tcp://lab:2376"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a Debian, as root, with neither systemd nor an engine."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "os-release").write_text("ID=debian\n")
    for name, path in {
        "_SOCKET": "docker.sock",
        "_RUN": "run",
        "_SYSTEMD": "systemd",
        "_OS_RELEASE": "os-release",
    }.items():
        monkeypatch.setattr(docker_engine, name, tmp_path / path)
    return tmp_path


def put_docker(programs: FakePrograms, version: str, address: str = DEFAULT) -> None:
    """A `docker` command before an engine of this version; none answers if it is empty.

    An engine that does not answer does so once the file `answers` is there.
    """
    answers = f"echo {version}" if version else f"/bin/cat {programs.folder.parent}/answers"
    programs.put(
        "docker",
        f"case $1 in version) {answers} ;; context) echo {address} ;; esac",
    )


def test_engine_that_answers_is_taken(project: Project, programs: FakePrograms) -> None:
    assert DockerEngine(project).find() is None
    put_docker(programs, "")
    assert DockerEngine(project).find() is None
    put_docker(programs, "20.10.24", LAB)
    assert DockerEngine(project).find() == f"20.10.24, {LAB}"


def test_engine_older_than_20_10_is_refused(project: Project, programs: FakePrograms) -> None:
    put_docker(programs, "19.03.15")
    assert refusal(DockerEngine(project).find) == (
        f"docker engine: the engine at {DEFAULT} should be 20.10 or newer (got 19.03.15). "
        "Upgrade it, or choose another."
    )


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        (
            "root socket",
            f"the command `docker` should be on PATH, to reach {DEFAULT} (got none). "
            "Install docker.io, or docker-cli where there is one, and run this again.",
        ),
        (
            "docker socket",
            "{socket} should be open to you (got: permission denied). "
            "Join the group docker and log in again, or run this as root.",
        ),
        (
            "docker",
            f"an engine should answer at {DEFAULT} (got no answer). Install Docker Engine 20.10 "
            "or newer as https://docs.docker.com/engine/install/ describes, start it, "
            "and run this again; on Debian and Ubuntu `make up` as root does both.",
        ),
    ],
)
def test_engine_that_is_not_the_set_ups_to_install_is_left_alone(
    has: str,
    expected: str,
    project: Project,
    programs: FakePrograms,
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if "root" in has else 1000)
    monkeypatch.setattr(os, "access", lambda file, mode: not str(file).endswith(".sock"))
    socket = machine / "docker.sock"
    if "docker" in has:
        put_docker(programs, "")
    if "socket" in has:
        socket.touch()
    message = f"docker engine: {expected.format(socket=socket)}"
    assert refusal(DockerEngine(project).refuse_elsewhere) == message


@pytest.mark.parametrize(
    ("variables", "setting", "address", "named", "got"),
    [
        ({"DOCKER_HOST": LAB, "DOCKER_CONTEXT": "lab"}, "", LAB, "DOCKER_HOST", LAB),
        ({"DOCKER_HOST": "", "DOCKER_CONTEXT": "lab"}, "", LAB, "DOCKER_CONTEXT", LAB),
        ({"DOCKER_CONTEXT": "nope"}, "", "", "DOCKER_CONTEXT", "nope"),
        ({}, "", LAB, "the current docker context", LAB),
        ({}, "", "", "the current docker context", "an unknown context"),
        ({"DOCKER_HOST": LAB}, "docker:host", LAB, "docker:host", LAB),
    ],
)
def test_engine_that_does_not_answer_is_blamed_on_what_named_it(
    variables: dict[str, str],
    setting: str,
    address: str,
    named: str,
    got: str,
    project: Project,
    programs: FakePrograms,
) -> None:
    put_docker(programs, "", address)
    asked = Project(project.root, {**project.environ, **variables}, setting)
    assert refusal(DockerEngine(asked).refuse_elsewhere) == (
        f"docker engine: {named} should name an engine that answers (got '{got}'). Start that "
        "engine, or choose another."
    )


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ('NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ('ID="fedora"\n', False),
    ],
)
def test_debian_and_its_children_take_the_package(
    text: str, is_ours: bool, project: Project, programs: FakePrograms, machine: Path
) -> None:
    put_docker(programs, "")
    (machine / "os-release").write_text(text)
    with nullcontext() if is_ours else pytest.raises(UserError):
        DockerEngine(project).refuse_elsewhere()


@pytest.fixture
def starts(project: Project, programs: FakePrograms, machine: Path) -> DockerEngine:
    """An engine that is installed and answers once it has been started."""
    put_docker(programs, "")
    programs.put("dockerd", f"echo 20.10.24 > {machine}/answers")
    return DockerEngine(project)


def calls(programs: FakePrograms) -> list[str]:
    """What was called to change the machine."""
    return [call for call in programs.calls if call.split()[0] not in ("docker", "apt-cache")]


def test_engine_is_installed_from_the_packages_that_the_machine_knows(
    starts: DockerEngine, programs: FakePrograms, work: Work
) -> None:
    (programs.folder / "dockerd").rename(programs.folder / "dockerd.new")
    programs.put("dpkg")
    rename = f"mv {programs.folder}/dockerd.new {programs.folder}/dockerd"
    install = f"case $* in *' install '*) {rename} ;; esac"
    programs.put("apt-get", f'[ "$DEBIAN_FRONTEND" = noninteractive ] && {install}')
    programs.put("apt-cache", '[ "$2" != docker-buildx ] && echo "Package: $2"')
    starts.run(work)
    apt = "apt-get -y -o DPkg::Lock::Timeout=300"
    assert calls(programs) == [
        "dpkg --configure -a",
        f"{apt} update",
        f"{apt} --no-install-recommends install docker.io docker-cli",
        "dockerd ",
    ]


def test_engine_is_started_over_the_process_ids_of_a_killed_one(
    starts: DockerEngine, programs: FakePrograms, work: Work, machine: Path
) -> None:
    stale = [machine / "run/docker.pid", machine / "run/docker/containerd/containerd.pid"]
    stale[1].parent.mkdir(parents=True)
    for file in stale:
        file.write_text(str(os.getpid()))
    starts.run(work)
    assert [file.exists() for file in stale] == [False, False]
    assert calls(programs) == ["dockerd "]


def test_engine_does_not_take_the_umask_of_who_starts_it(
    starts: DockerEngine, programs: FakePrograms, machine: Path, work: Work
) -> None:
    programs.put("dockerd", f"umask > {machine}/umask; echo 20.10.24 > {machine}/answers")
    own = os.umask(0o077)
    try:
        starts.run(work)
    finally:
        os.umask(own)
    assert (machine / "umask").read_text() == "0022\n"


def test_engine_that_ends_at_once_is_reported_with_its_last_lines(
    starts: DockerEngine, programs: FakePrograms, work: Work
) -> None:
    programs.put("dockerd", "echo no cgroups; exit 1")
    log = starts.project.places.engine_log
    assert refusal(starts.run, work) == (
        "step: the started engine should answer (got: it ended with 1). Correct what its last "
        f"lines name and run this again.\n    no cgroups\n    Whole output: {log}"
    )


def test_systemd_starts_the_engine_where_it_runs(
    starts: DockerEngine, programs: FakePrograms, work: Work, machine: Path
) -> None:
    (machine / "systemd").mkdir()
    programs.put("systemctl", f"echo 20.10.24 > {machine}/answers")
    starts.run(work)
    assert calls(programs) == ["systemctl start docker"]


def test_engine_that_is_still_starting_is_waited_for(
    starts: DockerEngine,
    programs: FakePrograms,
    work: Work,
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(docker_engine, "is_running", lambda pid, program: program == "dockerd")
    (machine / "run").mkdir()
    (machine / "run/docker.pid").write_text("1")
    answers = iter([None, None, "20.10.24"])
    monkeypatch.setattr(DockerCli, "version", lambda docker: next(answers))
    starts.run(work)
    assert calls(programs) == []
    assert next(answers, "asked until it answered") == "asked until it answered"


def test_process_of_another_name_or_a_zombie_is_not_the_running_engine() -> None:
    own_name = Path("/proc/self/comm").read_text().strip()
    assert is_running(os.getpid(), own_name)
    assert not is_running(os.getpid(), "dockerd")
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(dead.pid)
    dead.wait()
