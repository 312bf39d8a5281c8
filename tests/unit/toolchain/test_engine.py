"""Which Docker engine is taken, and when one is installed or started; `docker` is a fake."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from toolchain.setup import local_engine
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.errors import SetupError
from toolchain.setup.local_engine import LocalEngine
from toolchain.setup.processes import is_running
from toolchain.setup.project import Project
from toolchain.setup.steps import docker_engine
from toolchain.setup.steps.docker_engine import DockerEngine, is_debian
from toolchain.setup.work import Work

DEFAULT = "unix:///var/run/docker.sock"
ADVICE = (
    'Set "userns-remap": "default" in its daemon.json yourself and restart it; it will not see '
    "its images, volumes and containers of before."
)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian, as root, with no engine's socket."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(docker_engine, "_SOCKET", tmp_path / "docker.sock")
    monkeypatch.setattr(docker_engine, "is_debian", lambda file: True)


@pytest.fixture
def local(tmp_path: Path) -> LocalEngine:
    """A machine without systemd whose engine answers once it has been started."""
    (tmp_path / "limit").write_text("1000\n")
    return LocalEngine(
        tmp_path / "dockerd.log",
        (tmp_path / "answers").exists,
        run_folder=tmp_path / "run",
        systemd_folder=tmp_path / "no-systemd",
        configuration=tmp_path / "etc" / "daemon.json",
        kernel_limit=tmp_path / "limit",
    )


def put_docker(
    programs: FakePrograms, version: str, address: str = DEFAULT, userns: str = ""
) -> None:
    """A `docker` command before an engine of this version; none answers if it is empty."""
    info = json.dumps({"SecurityOptions": ["name=seccomp,profile=default", userns]})
    answers = f"echo {version}" if version else "exit 1"
    programs.put(
        "docker",
        f"case $1 in version) {answers} ;; context) echo {address} ;; info) echo '{info}' ;; esac",
    )


def refusal(step: DockerEngine, work: Work) -> str:
    with pytest.raises(SetupError) as error:
        step.run(work)
    return str(error.value)


def test_engine_that_answers_is_taken(project: Project, programs: FakePrograms) -> None:
    put_docker(programs, "20.10.24", "tcp://lab:2376")
    assert DockerEngine(project).find() == "20.10.24, tcp://lab:2376"


def test_engine_older_than_20_10_is_refused(project: Project, programs: FakePrograms) -> None:
    put_docker(programs, "19.03.15")
    with pytest.raises(SetupError) as error:
        DockerEngine(project).find()
    assert str(error.value) == (
        f"docker engine: the engine at {DEFAULT} should be 20.10 or newer (got 19.03.15). "
        "Upgrade it, or choose another with DOCKER_HOST."
    )


def test_engine_that_does_not_answer_is_missing(project: Project, programs: FakePrograms) -> None:
    put_docker(programs, "")
    assert DockerEngine(project).find() is None
    assert DockerCli({"PATH": "/nonexistent"}).version() is None


@pytest.mark.parametrize(
    ("address", "root", "has_docker", "has_socket", "expected"),
    [
        (
            "tcp://lab:2375",
            True,
            True,
            False,
            "DOCKER_HOST or the docker context should name an engine that answers (got "
            "'tcp://lab:2375'). Start that engine, or choose another.",
        ),
        (
            DEFAULT,
            True,
            False,
            True,
            f"the command `docker` should be on PATH, to reach {DEFAULT} (got none). "
            "Install docker.io, or docker-cli where there is one, and run this again.",
        ),
        (
            DEFAULT,
            False,
            True,
            True,
            "{socket} should be open to you (got: permission denied). "
            "Join the group docker and log in again, or run this as root.",
        ),
        (
            DEFAULT,
            False,
            True,
            False,
            f"an engine should answer at {DEFAULT} (got no answer). Install Docker Engine 20.10 "
            "or newer as https://docs.docker.com/engine/install/ describes, start it, "
            "and run this again; on Debian and Ubuntu `make up` as root does both.",
        ),
    ],
)
def test_engine_that_is_not_the_set_ups_to_install_is_left_alone(
    address: str,
    root: bool,
    has_docker: bool,
    has_socket: bool,
    expected: str,
    project: Project,
    programs: FakePrograms,
    work: Work,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(os, "access", lambda file, mode: root or not str(file).endswith(".sock"))
    socket = tmp_path / "docker.sock"
    if has_docker:
        put_docker(programs, "", address)
    if has_socket:
        socket.touch()
    assert refusal(DockerEngine(project), work) == (
        f"docker engine: {expected.format(socket=socket)}"
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


def test_engine_is_installed_from_the_packages_that_the_machine_knows(
    local: LocalEngine, programs: FakePrograms, work: Work
) -> None:
    programs.put("dpkg")
    programs.put("apt-get", '[ "$DEBIAN_FRONTEND" = noninteractive ]')
    programs.put("apt-cache", '[ "$2" != docker-buildx ] && echo "Package: $2"')
    local.install(work)
    apt = "apt-get -y -o DPkg::Lock::Timeout=300"
    changes = [call for call in programs.calls if not call.startswith("apt-cache")]
    assert changes == [
        "dpkg --configure -a",
        f"{apt} update",
        f"{apt} --no-install-recommends install docker.io docker-cli",
    ]


def test_engine_is_started_over_the_process_ids_of_a_killed_one(
    local: LocalEngine, programs: FakePrograms, work: Work, tmp_path: Path
) -> None:
    stale = [tmp_path / "run" / "docker.pid", tmp_path / "run/docker/containerd/containerd.pid"]
    stale[1].parent.mkdir(parents=True)
    for file in stale:
        file.write_text(str(os.getpid()))
    found = " || ".join(f"[ -e {file} ]" for file in stale)
    programs.put("dockerd", f"{found} || touch {tmp_path}/answers")
    local.start(work)
    assert programs.calls == ["dockerd "]


def test_engine_that_ends_at_once_is_reported_with_its_last_lines(
    local: LocalEngine, programs: FakePrograms, work: Work
) -> None:
    programs.put("dockerd", "echo no cgroups; exit 1")
    with pytest.raises(SetupError) as error:
        local.start(work)
    assert str(error.value) == (
        "step: the started engine should answer (got: it ended with 1). Correct what its last "
        f"lines name and run this again.\n    no cgroups\n    Whole output: {local.log}"
    )


def test_systemd_starts_the_engine_where_it_runs(
    programs: FakePrograms, work: Work, tmp_path: Path
) -> None:
    programs.put("systemctl", f"touch {tmp_path}/answers")
    answers = (tmp_path / "answers").exists
    LocalEngine(tmp_path / "log", answers, systemd_folder=tmp_path).start(work)
    assert programs.calls == ["systemctl start docker"]


def test_engine_that_is_still_starting_is_waited_for(
    programs: FakePrograms, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.put("dockerd")
    monkeypatch.setattr(local_engine, "is_running", lambda pid, program: program == "dockerd")
    (tmp_path / "docker.pid").write_text("1")
    answers = iter([False, False, True])
    LocalEngine(tmp_path / "log", answers.__next__, tmp_path, tmp_path / "none").start(work)
    assert programs.calls == []
    assert next(answers, "asked until it answered") == "asked until it answered"


def test_process_of_another_name_or_a_zombie_is_not_the_running_engine() -> None:
    own_name = Path("/proc/self/comm").read_text().strip()
    assert is_running(os.getpid(), own_name)
    assert not is_running(os.getpid(), "dockerd")
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(dead.pid)
    dead.wait()


def test_user_namespaces_are_configured_and_other_settings_stay(local: LocalEngine) -> None:
    local.configuration.parent.mkdir()
    local.configuration.write_text('{"log-level": "warn"}')
    local.map_users()
    found = json.loads(local.configuration.read_text())
    assert found == {"log-level": "warn", "userns-remap": "default"}


@pytest.mark.parametrize(
    ("limit", "text", "expected"),
    [
        (
            "0",
            "{}",
            "docker engine: {limit} should be above 0 (got 0). Raise it with "
            "`sysctl -w user.max_user_namespaces=10000`, or leave --userns-remap out.",
        ),
        (
            "1000",
            "userns",
            "docker engine: {file} should be JSON (got: Expecting value: line 1 column 1 "
            "(char 0)). Correct it.",
        ),
    ],
)
def test_machine_that_cannot_map_users_is_refused(
    limit: str, text: str, expected: str, local: LocalEngine
) -> None:
    local.kernel_limit.write_text(limit)
    local.configuration.parent.mkdir()
    local.configuration.write_text(text)
    with pytest.raises(SetupError) as error:
        local.map_users()
    assert str(error.value) == expected.format(limit=local.kernel_limit, file=local.configuration)


def test_engine_that_maps_users_is_taken_and_another_is_left_as_it_is(
    project: Project, programs: FakePrograms
) -> None:
    put_docker(programs, "20.10.24", userns="name=userns")
    step = DockerEngine(project, userns_remap=True)
    assert step.find() == f"20.10.24, {DEFAULT}"
    put_docker(programs, "20.10.24")
    with pytest.raises(SetupError) as error:
        step.find()
    assert str(error.value) == (
        "docker engine: --userns-remap should be used where no engine is installed yet (got one "
        f"without user namespaces at {DEFAULT}). {ADVICE}"
    )


def test_installation_maps_users_before_the_engines_first_start(
    project: Project,
    programs: FakePrograms,
    local: LocalEngine,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_docker(programs, "")
    monkeypatch.setattr(docker_engine, "LocalEngine", lambda log, answers: local)
    monkeypatch.setattr(docker_engine.shutil, "which", lambda name: None)
    done: list[tuple[str, bool]] = []
    for name in ("install", "start"):
        monkeypatch.setattr(
            LocalEngine,
            name,
            lambda self, work, name=name: done.append((name, local.is_mapping_users())),
        )
    monkeypatch.setattr(DockerCli, "is_installed", True)
    DockerEngine(project, userns_remap=True).run(work)
    assert done == [("install", True), ("start", True)]
    local.configuration.unlink()
    monkeypatch.setattr(docker_engine.shutil, "which", lambda name: "/usr/sbin/dockerd")
    assert refusal(DockerEngine(project, userns_remap=True), work) == (
        "docker engine: --userns-remap should be used where no engine is installed yet (got "
        f"/usr/sbin/dockerd, which is not running). {ADVICE}"
    )
