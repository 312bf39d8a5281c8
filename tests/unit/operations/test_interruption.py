"""A run that was killed does not stand in the way of the next; one that lives does."""

import getpass
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, call

import pytest
from docker.models.networks import Network

from infra.naming import OWNER_LABEL
from operations.deployment import Deployment
from operations.interruption import clear_up, remove_torn_files
from operations.runs import only_run
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import OWN, calls, elsewhere, fake_container, given, write_state
from toolchain.setup.atomic import write_file

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1
CANCEL = "cancel --yes --stack dev --non-interactive"
EXPORT = "stack export --stack dev --non-interactive"
REFRESH = "refresh --yes --skip-preview --clear-pending-creates --stack dev --non-interactive"


def write_lock(stack: Stack, text: str = "", **changes: Any) -> Path:
    """A lock of Pulumi's; a dead run's unless changed."""
    lock = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname(), **changes}
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / "devportal" / stack.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lock.json").write_bytes((text or json.dumps(lock)).encode("latin-1"))
    return folder / "lock.json"


def fake_network(name: str, *connected: MagicMock) -> MagicMock:
    made = MagicMock(
        spec=Network, id=f"id-{name}", attrs={"Containers": {c.id: {} for c in connected}}
    )
    made.name = name
    return made


def write_latest(stack: Stack, **latest: Any) -> None:
    write_state(stack, json.dumps({"checkpoint": {"latest": latest}}))


def test_without_a_lock_nothing_is_cleared(stack: Stack, engine: MagicMock) -> None:
    clear_up(stack)
    write_latest(stack, resources=[])
    clear_up(stack)
    assert calls(stack) == []


@pytest.mark.parametrize(
    ("known", "containers", "networks", "is_cleared"),
    [
        (["1"], ["1"], ["3"], True),
        (["3"], ["1"], ["3"], True),
        (["volume"], [], ["3"], True),
        (["1", "3"], ["1"], ["3"], False),
        (["volume"], ["1"], ["3"], False),
    ],
    ids=["network", "container", "first network", "nothing", "another state's"],
)
@pytest.mark.parametrize("touched", [False, True], ids=["", "touched"])
def test_what_a_killed_provider_leaves_is_found_without_a_lock(
    stack: Stack,
    engine: MagicMock,
    known: list[str],
    containers: list[str],
    networks: list[str],
    is_cleared: bool,
    touched: bool,
) -> None:
    """What runs or is connected, somebody has put there; and see the names of the cases."""
    write_latest(stack, resources=[{"id": f"id-{name}"} for name in known])
    status = "running" if touched else "created"
    own = [fake_container(name, "app", status=status) for name in containers]
    engine.containers.list.return_value = own
    engine.networks.list.return_value = [fake_network(name, *own[:touched]) for name in networks]
    is_cleared &= not (touched and own)
    clear_up(stack)
    assert calls(stack) == []
    for one in (*own, *engine.networks.list.return_value):
        assert one.remove.called == (is_cleared and str(one.id)[3:] not in known)


@pytest.mark.parametrize(
    ("owner", "is_removed"),
    [
        (f"{DEAD_PID}@{socket.gethostname()}", True),
        (f"{os.getpid()}@{socket.gethostname()}", False),
        (f"{DEAD_PID}@elsewhere", False),
    ],
    ids=["dead", "alive", "elsewhere"],
)
def test_helper_on_a_volume_of_the_stack_goes_when_its_process_has_died(
    stack: Stack, engine: MagicMock, owner: str, is_removed: bool
) -> None:
    write_latest(stack, resources=[{"id": "id-1"}])
    helper = fake_container("2", "helper")
    helper.labels[OWNER_LABEL] = owner
    volume = MagicMock()
    volume.name = "devportal-dev-redis-secrets"
    engine.volumes.list.return_value = [volume]
    chosen = {"label": OWNER_LABEL, "volume": [volume.name]}
    engine.containers.list.side_effect = lambda all, filters, ignore_removed: (
        [helper] if filters == chosen else []
    )
    clear_up(stack)
    assert helper.remove.called == is_removed
    assert calls(stack) == []


@pytest.mark.parametrize("text", ["", '{"pid":', "7", '{"pid": 7}', "\xff"])
def test_lock_of_a_dead_run_is_released_and_what_the_state_does_not_know_removed(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Also one that the run has not written to its end."""
    lock = write_lock(stack, text)
    write_latest(stack, resources=[{"urn": "a"}, {"urn": "b", "id": "id-1"}])
    kept, orphan = fake_container("1", "app"), fake_container("2", "app")
    engine.containers.list.return_value = [kept, orphan]
    engine.networks.list.return_value = [fake_network("3")]
    clear_up(stack)
    assert not lock.exists()
    assert calls(stack) == [REFRESH]
    kept.remove.assert_not_called()
    # A container that somebody ran from an image of the stack has the image's label, and stays.
    engine.containers.list.assert_called_once_with(all=True, filters=OWN, ignore_removed=True)
    assert engine.networks.list.call_args == call(filters={"label": "devportal.stack=dev"})
    assert capsys.readouterr().out == (
        "stack dev: clearing up after a run that was killed\n"
        "removed 2, left by a run that was killed\n"
        "removed 3, left by a run that was killed\n"
    )


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ({"pid": os.getpid()}, f"process {os.getpid()} of ada on {socket.gethostname()}"),
        ({"hostname": "elsewhere"}, f"process {DEAD_PID} of ada on elsewhere"),
    ],
    ids=["alive here", "elsewhere"],
)
def test_lock_of_a_living_run_is_respected(
    stack: Stack, holder: dict[str, Any], shown: str
) -> None:
    write_lock(stack, **holder)
    assert refusal(clear_up, stack) == (
        f"stack dev: no other run should hold it (got {shown}). Wait for it, or end it."
    )
    assert calls(stack) == []


def test_lock_is_released_whose_process_id_another_program_has(
    stack: Stack, engine: MagicMock
) -> None:
    """As after a power loss; the refusal would tell its user to end that one."""
    with subprocess.Popen(["sleep", "60"]) as other:
        lock = write_lock(stack, pid=other.pid)
        try:
            clear_up(stack)
        finally:
            other.kill()
    assert not lock.exists()


def test_run_that_began_meanwhile_keeps_its_containers(stack: Stack, engine: MagicMock) -> None:
    write_latest(stack, pending_operations=[{"type": "creating"}])
    made = fake_container("1", "app")

    def look(**kind: Any) -> list[MagicMock]:
        write_lock(stack, pid=os.getpid())
        return [made]

    engine.containers.list.side_effect = look
    assert f"(got process {os.getpid()} of ada on " in refusal(clear_up, stack)
    made.remove.assert_not_called()


@pytest.mark.parametrize("target", ["up", "down"])
def test_second_run_of_the_machine_is_told_who_holds_the_stack(
    stack: Stack, engine: MagicMock, target: str
) -> None:
    """Whatever the clone and its backend."""
    other = elsewhere(stack)
    write_state(stack)
    write_file(stack.root / "ends", """echo '{"deployment": {}}'\n""")
    me = f"process {os.getpid()} of {getpass.getuser()} on {socket.gethostname()}"
    with only_run(other):
        assert refusal(Deployment(stack).run, target) == (
            f"stack dev: no other run should hold it (got {me}). Wait for it, or end it."
        )
        with only_run(Stack("dev-2", stack.environ, stack.root)):
            assert calls(stack) == []
    assert Deployment(other).run(target) == 0


@pytest.mark.parametrize("shown", ["", '{"deployment": {}}'])
def test_containers_of_another_state_are_left_alone(
    stack: Stack, engine: MagicMock, shown: str
) -> None:
    """They run with passwords that this state does not know, in a folder or elsewhere."""
    if shown:
        stack = elsewhere(stack)
        write_file(stack.root / "ends", f"echo '{shown}'\n")
    engine.containers.list.return_value = [fake_container("1", "app"), fake_container("2", "app")]
    assert refusal(clear_up, stack) == (
        "stack dev: its state should know its containers (got none in the state, and on the engine "
        "1, 2). Set PULUMI_BACKEND_URL to where their state lies, or put it back with `make "
        "state-restore STACK=dev`; if it is lost, remove them with `docker rm --force --volumes`."
    )


def test_unfinished_operation_is_cleared_wherever_the_state_lies(
    stack: Stack, engine: MagicMock
) -> None:
    """A lock elsewhere is left to Pulumi: only its own commands reach it."""
    write_latest(stack, pending_operations=[{"type": "creating"}])
    clear_up(stack)
    assert calls(stack) == [REFRESH]
    shown = '{"deployment": {"resources": [{"id": "1"}], "pending_operations": [{}]}}'
    write_file(stack.root / "ends", f"echo '{shown}'\n")
    clear_up(elsewhere(stack))
    assert calls(stack)[1:] == [EXPORT, REFRESH, EXPORT]


@pytest.mark.parametrize(
    ("pid", "called"),
    [(DEAD_PID, [EXPORT, REFRESH, CANCEL, REFRESH, EXPORT]), (os.getpid(), None)],
    ids=["ended", "lives"],
)
def test_lock_in_a_backend_that_is_no_folder_is_known_by_the_refusal(
    stack: Stack, engine: MagicMock, pid: int, called: list[str] | None
) -> None:
    """After a run of this machine was killed: only then is Pulumi asked."""
    stack = elsewhere(stack)
    refused = f"s3://states/lock.json: created by ada@{socket.gethostname()} (pid {pid}) at noon"
    write_file(
        stack.root / "ends",
        f"""case $1 in
        stack) echo '{{"deployment": {{"resources": [{{}}]}}}}' ;;
        cancel) touch {stack.root}/cancelled ;;
        refresh) [ -e {stack.root}/cancelled ] || {{ echo '{refused}' >&2; exit 255; }} ;;
        esac\n""",
    )
    clear_up(stack)
    assert calls(stack) == [EXPORT]
    (stack.root / "calls").unlink()
    if called is None:
        assert f"(got process {pid} of ada on " in refusal(clear_up, stack, was_killed=True)
        assert calls(stack) == [EXPORT, REFRESH]
    else:
        clear_up(stack, was_killed=True)
        assert calls(stack) == called


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"a"', "Expecting ':' delimiter: line 1 column 5 (char 4)"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"\0\0", "Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_state_that_is_cut_off_is_named_with_its_copy(
    stack: Stack, engine: MagicMock, content: bytes, error: str
) -> None:
    write_state(stack)
    assert stack.state is not None
    stack.state.write_bytes(content)
    assert refusal(Deployment(stack).run, "up") == (
        f"{stack.state}: should be the JSON that Pulumi has written (got: {error}). Run `cp "
        f"{stack.state}.bak {stack.state}`, which puts back what it was a step before, or `make "
        "state-restore STACK=dev`."
    )


def test_torn_files_that_pulumi_can_do_without_are_taken_away(stack: Stack) -> None:
    home, backend = stack.root / "home", stack.root / "state" / ".pulumi"
    torn = [
        backend / "meta.yaml.attrs",
        backend / "stacks/devportal/dev.json.attrs",
        backend / "stacks/devportal/dev.json.bak.attrs",
        backend / "history/devportal/dev/dev-1.history.json.attrs",
        home / "workspaces/devportal-1-workspace.json",
    ]
    kept = [
        backend / "stacks/devportal/dev.json",
        backend / "stacks/devportal/other.json.attrs",
        home / "workspaces/other-1-workspace.json",
    ]
    texts = ["", "{", "\0\0", '{"a"', "", "", "", ""]
    for path, text in zip([*torn, *kept], texts, strict=True):
        write_file(path, text)
    remove_torn_files(given(stack, PULUMI_HOME=str(home)))
    assert [path for path in (*torn, *kept) if path.exists()] == kept
