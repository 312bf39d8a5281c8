"""A run that was killed does not stand in the way of the next; one that lives does."""

import json
import os
import socket
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from operations.errors import CommandError
from operations.interruption import (
    StackRecords,
    has_half_made,
    known_ids,
    release_dead_lock,
)
from operations.orphans import remove_orphans

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1


@pytest.fixture
def records(tmp_path: Path) -> StackRecords:
    found = StackRecords.of(f"file://{tmp_path}", "dev")
    assert found is not None
    found.locks.mkdir(parents=True)
    found.state.parent.mkdir(parents=True)
    return found


def write_lock(records: StackRecords, **changes: Any) -> None:
    lock = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname(), **changes}
    (records.locks / "lock.json").write_text(json.dumps(lock))


def write_latest(records: StackRecords, **latest: Any) -> None:
    records.state.write_text(json.dumps({"checkpoint": {"latest": latest}}))


def test_lock_of_a_dead_run_is_cancelled(records: StackRecords) -> None:
    write_lock(records)
    pulumi = MagicMock()
    assert release_dead_lock(records, "dev", pulumi)
    pulumi.run.assert_called_once_with("cancel", "--yes")


def test_without_a_lock_nothing_is_cancelled(records: StackRecords) -> None:
    pulumi = MagicMock()
    assert not release_dead_lock(records, "dev", pulumi)
    pulumi.run.assert_not_called()


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ({"pid": os.getpid()}, f"process {os.getpid()} of ada on {socket.gethostname()}"),
        ({"hostname": "elsewhere"}, f"process {DEAD_PID} of ada on elsewhere"),
    ],
)
def test_lock_of_a_living_run_is_respected(
    records: StackRecords, holder: dict[str, Any], shown: str
) -> None:
    write_lock(records, **holder)
    pulumi = MagicMock()
    with pytest.raises(CommandError) as caught:
        release_dead_lock(records, "dev", pulumi)
    assert str(caught.value) == (
        f"stack dev: no other run should hold it (got {shown}). Wait for it, or end it."
    )
    pulumi.run.assert_not_called()


def test_pending_operation_means_half_made(records: StackRecords) -> None:
    assert not has_half_made(records)
    write_latest(records, resources=[])
    assert not has_half_made(records)
    write_latest(records, resources=[], pending_operations=[{"type": "creating"}])
    assert has_half_made(records)


def test_known_ids_are_those_of_the_state(records: StackRecords) -> None:
    write_latest(records, resources=[{"urn": "a"}, {"urn": "b", "id": "4711"}])
    assert known_ids(records) == {"4711"}


def test_backend_that_is_no_folder_has_no_records() -> None:
    assert StackRecords.of("s3://states", "dev") is None


def thing(identity: str) -> MagicMock:
    made = MagicMock(id=identity)
    made.name = f"name-{identity}"
    return made


def test_only_what_the_state_does_not_know_is_removed() -> None:
    client = MagicMock()
    kept, orphan, network = thing("1"), thing("2"), thing("3")
    client.containers.list.return_value = [kept, orphan]
    client.networks.list.return_value = [network]
    assert remove_orphans(client, "dev", ["1"]) == ["name-2", "name-3"]
    kept.remove.assert_not_called()
    # A container that somebody ran from an image of the stack has the image's label, and stays.
    own = {"label": ["devportal.stack=dev", "devportal.spec"]}
    client.containers.list.assert_called_once_with(all=True, filters=own, ignore_removed=True)
    client.networks.list.assert_called_once_with(filters={"label": "devportal.stack=dev"})
    client.volumes.list.assert_not_called()
