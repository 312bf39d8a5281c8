"""What `make ps`, `make logs` and `make doctor` print."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import DockerException

from toolchain.setup.engine_address import EngineAddress
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.errors import SetupError
from toolchain.setup.project import ROOT, Project
from operations import containers, doctor


def container(name: str, role: str, *chunks: bytes, health: str | None = None) -> MagicMock:
    """A running container with one published port, whose log comes in these chunks."""
    made = MagicMock()
    made.name = name
    made.labels = {"devportal.role": role}
    made.attrs = {
        "State": {"Status": "running", **({"Health": {"Status": health}} if health else {})}
    }
    made.ports = {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}], "9/tcp": None}
    made.logs.side_effect = lambda **options: iter(chunks)
    return made


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[MagicMock]:
    """The call that lists containers on the engine."""
    client = MagicMock()
    monkeypatch.setattr(containers, "connect", lambda host: client)
    return client.containers.list


def test_table_has_a_line_for_each_container(
    found: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    found.return_value = [
        container("devportal-dev-redis", "redis"),
        container("devportal-dev-app", "app", health="healthy"),
    ]
    assert containers.main(["ps", "--stack", "dev"]) == 0
    assert capsys.readouterr().out == (
        "NAME                 STATE    HEALTH   PORTS\n"
        "devportal-dev-app    running  healthy  127.0.0.1:8000->8000\n"
        "devportal-dev-redis  running  -        127.0.0.1:8000->8000\n"
    )
    found.assert_called_once_with(
        all=True, filters={"label": ["devportal.stack=dev", "devportal.spec"]}, ignore_removed=True
    )


def test_log_lines_stand_behind_their_role_and_are_never_cut(
    found: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    found.return_value = [container("one", "app", b"first li", b"ne\nlast")]
    assert containers.main(["logs", "--stack", "dev", "--role", "app"]) == 0
    assert capsys.readouterr().out == "app | first line\napp | last\n"
    chosen = ["devportal.stack=dev", "devportal.spec", "devportal.role=app"]
    found.assert_called_once_with(all=True, filters={"label": chosen}, ignore_removed=True)


def test_stack_without_containers_is_told(
    found: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    found.return_value = []
    assert containers.main(["ps", "--stack", "dev"]) == 1
    assert capsys.readouterr().err == (
        "stack dev: should have containers (got none). Run `make up STACK=dev`.\n"
    )


def test_engine_that_does_not_answer_is_told(
    found: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    found.side_effect = DockerException("refused")
    assert containers.main(["ps", "--stack", "dev"]) == 1
    assert capsys.readouterr().err == (
        "docker engine: should answer (got: refused). Run `make doctor`.\n"
    )


class FakeApi(EngineApi):
    """An engine with two containers and a volume of one stack, and a volume of another."""

    def get(self, path: str) -> Any:
        dev, old = ({"Labels": {"devportal.stack": stack}} for stack in ("dev", "old"))
        answers = {
            "/info": {"Driver": "overlay2", "SecurityOptions": ["name=userns", "name=seccomp"]},
            "/containers": [dev, dev],
            "/networks": [],
            "/volumes": {"Volumes": [dev, old]},
            "/images": [],
        }
        return next(answer for start, answer in answers.items() if path.startswith(start))


def test_engine_is_counted_by_stack() -> None:
    counts = doctor.count_objects(FakeApi(EngineAddress("unix:///x")))
    assert counts == {"dev": {"containers": 2, "volumes": 1}, "old": {"volumes": 1}}


def test_doctor_names_what_a_stack_without_a_state_has_left(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "EngineApi", FakeApi)
    monkeypatch.setattr(doctor, "list_steps", lambda project: [])
    project = Project(ROOT, {"HOME": str(tmp_path)})
    state = project.places.state / ".pulumi" / "stacks" / "devportal" / "dev.json"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    findings = dict(doctor.examine(project))
    assert findings["stack dev"] == "2 containers, 1 volumes"
    assert findings["stack old"] == "1 volumes; left over, its state is gone"
    assert findings["user namespaces"] == "on"


@pytest.mark.parametrize(
    ("found_text", "error", "told"),
    [
        ("ours", None, "ours"),
        (None, None, "missing; `make setup` gets it"),
        (None, SetupError("engine: should answer."), "engine: should answer."),
    ],
)
def test_doctor_tells_of_each_part_where_it_came_from(
    found_text: str | None, error: Exception | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = MagicMock(find=MagicMock(return_value=found_text, side_effect=error))
    step.name = "part"
    monkeypatch.setattr(doctor, "list_steps", lambda project: [step])
    monkeypatch.setattr(doctor, "EngineApi", FakeApi)
    assert dict(doctor.examine(Project(ROOT, {"HOME": "/"})))["part"] == told
