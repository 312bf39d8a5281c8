"""`make exec`, `shell`, `psql`, `redis-cli`, `run` and `password`, on a `docker` that records."""

import os
import socket
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import APIError, NotFound

from operations import inside, one_off, password, stores
from operations.arguments import parse
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import archive, fake_container, write_program

RECORDING = 'printf "[%s]" "$@"; printf " %s\\n" "$REDISCLI_AUTH"; exit 3'
PSQL = f"[exec][--interactive][id-postgres][sh][-c][{stores._PSQL}]"
TARGETS = {
    "exec": inside.run_command,
    "shell": inside.open_shell,
    "psql": stores.open_database,
    "redis-cli": stores.open_redis,
    "run": one_off.run_command,
    "password": password.show_password,
}


def holding(role: str, **files: str) -> MagicMock:
    """A container of a role with secrets, and what a new container takes over from it."""
    made = fake_container(role, role)

    def get_archive(path: str) -> tuple[list[bytes], dict[str, Any]]:
        name = path.removeprefix("/run/secrets/")
        if name not in files:
            raise NotFound(path)
        return archive(files[name])

    made.get_archive = get_archive
    made.attrs["Image"] = "sha256:1"
    made.attrs["Config"] |= {"Env": ["ADMIN_EMAIL=ada@example.com"], "User": "10001:10001"}
    made.attrs["Config"]["Labels"] = {"devportal.spec": "1"}
    made.attrs["HostConfig"] |= {"PortBindings": {"8000/tcp": []}, "ReadonlyRootfs": True}
    made.attrs["NetworkSettings"] = {"Networks": {"net-app": {}, "net-data": {}}}
    return made


@pytest.fixture
def run(stack: Stack, engine: MagicMock) -> Any:
    """Run a target on a stack with a portal, a database and Redis; its exit code."""
    app = holding("app", redis_url="redis://devportal:p%20w@redis:6379/0", admin_password="secret")
    found = [app, fake_container("postgres", "postgres"), fake_container("redis", "redis")]
    engine.containers.list.return_value = found
    engine.api.create_container_from_config.return_value = {"Id": "new"}
    engine.api.remove_container.side_effect = APIError("removal is already in progress")
    write_program(stack.root, "docker", RECORDING)
    return lambda target, *words: TARGETS[target](stack, parse([target, *words]))


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (
            ["exec", "--cmd=echo 'a b' | wc"],
            "[exec][--interactive][id-app][sh][-c][echo 'a b' | wc]",
        ),
        (["shell", "--role=redis"], f"[exec][--interactive][id-redis][sh][-c][{inside._SHELL}]"),
        (
            ["psql"],
            f"{PSQL}[app_password][--host=127.0.0.1][--username=devportal_user]"
            "[--dbname=devportal][--set=ON_ERROR_STOP=1]",
        ),
        (
            ["psql", "--user=postgres", "--cmd=select 'a b'"],
            f"{PSQL}[postgres_password][--username=postgres][--dbname=devportal]"
            "[--set=ON_ERROR_STOP=1][--command=select 'a b']",
        ),
        (["run", "--cmd=python -m app check"], "[start][--attach][--interactive][new]"),
    ],
)
def test_command_runs_in_the_container_and_gives_its_exit_code(
    words: list[str], called: str, run: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 3
    assert capfd.readouterr().out == f"{called} \n"


def test_stores_of_others_are_asked_beside_them_or_not_at_all(
    run: Any, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [holding("postgres-roles")]
    engine.containers.get.return_value.id = "new"
    psql = PSQL.replace("id-postgres", "new")
    assert run("psql") == run("psql", "--user=postgres", "--cmd=select 1") == 3
    assert capfd.readouterr().out == (
        f"{psql}[app_password][--username=devportal_user][--dbname=devportal]"
        f"[--set=ON_ERROR_STOP=1] \n{psql}[postgres_password][--dbname=devportal]"
        "[--set=ON_ERROR_STOP=1][--command=select 1] \n"
    )
    engine.api.remove_container.assert_called_with("new", force=True)
    assert refusal(run, "redis-cli") == (
        "stack dev: should run its own Redis for redis-cli (got devportal:redis.external_url). Use "
        "a client of yours on that server."
    )


def test_password_of_redis_stands_on_no_command_line(
    run: Any, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    start = "[exec][--interactive][--env=REDISCLI_AUTH][id-redis][redis-cli][--user]"
    assert run("redis-cli", "--cmd=get 'a b'") == 3
    assert capfd.readouterr().out == f"{start}[devportal][-e][get][a b] p w\n"
    engine.containers.list.return_value += [holding("redis-commander", redis_password="tools\n")]
    assert run("redis-cli") == 3
    assert capfd.readouterr().out == f"{start}[devtools] tools\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["exec", "--role=redis", "--cmd= "],
            "CMD: should be a command (got nothing). Run `make exec ROLE=redis CMD='python -m app "
            "check' STACK=dev`.",
        ),
        (
            ["run"],
            "CMD: should be a command (got nothing). Run `make run CMD='python -m app check' "
            "STACK=dev`.",
        ),
        (
            ["run", "--role=redis", "--cmd=x"],
            "role: should be one of app, migrations, postgres-roles (got 'redis'). Choose one of "
            "them.",
        ),
        (
            ["redis-cli", "--cmd=it's"],
            'CMD: should be words as a shell reads them (got "it\'s": No closing quotation). '
            "Close the quotes.",
        ),
    ],
)
def test_wrong_argument_is_answered_with_what_there_is(
    words: list[str], message: str, run: Any
) -> None:
    assert refusal(run, *words) == message


def test_new_container_is_like_the_portals_and_no_replica(run: Any, engine: MagicMock) -> None:
    run("run", "--cmd=python -m app check")
    description, name = engine.api.create_container_from_config.call_args.args
    assert name.startswith("devportal-dev-run-")
    host = description.pop("HostConfig")
    assert description == {
        "Env": ["ADMIN_EMAIL=ada@example.com"],
        "User": "10001:10001",
        "WorkingDir": None,
        "StopSignal": None,
        "Image": "sha256:1",
        "Hostname": "run",
        "Entrypoint": ["sh", "-c", "python -m app check"],
        "Labels": {
            "devportal.stack": "dev",
            "devportal.role": "run",
            "devportal.helper.owner": f"{os.getpid()}@{socket.gethostname()}",
        },
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        **dict.fromkeys(("OpenStdin", "StdinOnce", "AttachStdin"), True),
        **dict.fromkeys(("AttachStdout", "AttachStderr"), True),
        "NetworkingConfig": {"EndpointsConfig": {"net-app": {}}},
    }
    assert host == {
        "PidsLimit": 256,
        "ReadonlyRootfs": True,
        "NetworkMode": "net-app",
        "PortBindings": {},
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": True,
    }
    engine.api.connect_container_to_network.assert_called_once_with("new", "net-data")
    engine.api.remove_container.assert_called_once_with("new", force=True)


def test_password_is_shown_from_where_it_lies(
    run: Any, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("password") == 0
    shown = capfd.readouterr()
    assert shown.out == "secret\n"
    assert shown.err == (
        "password: ada@example.com got this password at first; ARGS=--reset sets it again if it "
        "was changed\n"
    )
    engine.containers.list.return_value += [holding("migrations")]
    assert refusal(run, "password") == (
        "container 'migrations': should have the secret admin_password (got none). Run `make up`, "
        "which writes it again."
    )


def test_missing_portal_is_named(run: Any, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container("postgres", "postgres")]
    assert refusal(run, "password") == (
        "stack dev: should have a container of the portal (got none). Run `make up STACK=dev`."
    )


def test_portal_without_networks_is_named(run: Any, engine: MagicMock) -> None:
    portal = holding("app")
    portal.attrs["NetworkSettings"]["Networks"] = {}
    engine.containers.list.return_value = [portal]
    assert refusal(run, "run", "--cmd=x") == (
        "container 'app': should be on its networks (got none). Run `make up STACK=dev`, which "
        "connects it again."
    )


def test_password_is_reset_by_the_portals_own_command(
    run: Any, stack: Stack, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("password", "--reset") == 3
    assert capfd.readouterr().out == "[start][--attach][--interactive][new] \n"
    description, _ = engine.api.create_container_from_config.call_args.args
    assert description["Entrypoint"] == ["python", "-m", "app", "reset-admin"]
    write_program(stack.root, "docker", "exit 0")
    assert run("password", "--reset") == 0
    shown = capfd.readouterr()
    assert shown.out == "secret\n"
    assert shown.err == "password: ada@example.com has this password; all sessions have ended\n"
