"""What the exporter tells of backups, and of the certificate that Nginx serves."""

import json
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.x509 import expires_at, make_authority, make_certificate
from tests.unit.docker.conftest import load_program

NAMES = ["devportal.localhost", "127.0.0.1"]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
SIX = "20261125T060000Z"
SEVEN = "20261125T070000Z-2"
PASSED = {"checked_at": "2026-11-25T06:01:00Z", "result": "passed"}
FAILED = {"checked_at": "2026-11-25T07:01:00Z", "result": "failed"}


@pytest.fixture
def exporter() -> ModuleType:
    return load_program("exporter/exporter.py")


def hours(hour: float) -> float:
    return NOON + (hour - 12) * 3600


@pytest.mark.parametrize(
    ("folders", "newest", "tested", "restorable"),
    [
        ({}, 0, 0, 1),
        ({SIX: (True, None)}, hours(6), 0, 1),
        ({SIX: (True, PASSED)}, hours(6), hours(6) + 60, 1),
        # One that a power loss cut off counts for nothing.
        ({SIX: (True, PASSED), SEVEN: (False, None)}, hours(6), hours(6) + 60, 1),
        ({SIX: (True, PASSED), SEVEN: (True, None)}, hours(7), hours(6) + 60, 1),
        ({SIX: (True, PASSED), SEVEN: (True, FAILED)}, hours(7), hours(7) + 60, 0),
        # Neither does one that a wrong clock dated to come, nor a folder of another name.
        ({SIX: (True, None), "20991125T060000Z": (True, FAILED)}, hours(6), 0, 1),
        ({SIX: (True, PASSED), "2026-kept": (True, FAILED)}, hours(6), hours(6) + 60, 1),
    ],
)
def test_backups_are_told_as_their_own_health_judges_them(
    exporter: ModuleType,
    tmp_path: Path,
    folders: dict[str, tuple[bool, Any]],
    newest: float,
    tested: float,
    restorable: int,
) -> None:
    for name, (is_whole, check) in folders.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}\n" if is_whole else "\0\0")
        if check:
            (tmp_path / name / "check.json").write_text(json.dumps(check))
    expected = {
        "devportal_backup_newest_timestamp_seconds": newest,
        "devportal_backup_failed": 0,
        "devportal_backup_tested_timestamp_seconds": tested,
        "devportal_backup_restorable": restorable,
    }
    assert exporter.read_backups(tmp_path, NOON) == expected
    (tmp_path / ".failure").write_text("disk full")
    assert exporter.read_backups(tmp_path, NOON) == expected | {"devportal_backup_failed": 1}


@pytest.mark.parametrize("days", [0, 1, 365])
def test_end_of_the_served_certificate_is_told_whoever_issued_it(
    exporter: ModuleType, tmp_path: Path, days: int
) -> None:
    pair = make_certificate(make_authority("dev", NAMES), NAMES, days)
    (tmp_path / "pair.pem").write_text(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    with context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as server:
        server.settimeout(30)
        thread = threading.Thread(target=server.accept)
        thread.start()
        told = exporter.ask_nginx(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert told == {
        "devportal_nginx_up": 1,
        "devportal_certificate_expires_timestamp_seconds": int(
            expires_at(pair.certificate).timestamp()
        ),
    }


def test_nginx_that_does_not_answer_is_down(exporter: ModuleType) -> None:
    assert exporter.ask_nginx("127.0.0.1:1") == {"devportal_nginx_up": 0}


def test_stack_without_backups_and_nginx_tells_of_neither(exporter: ModuleType) -> None:
    values = exporter.find_values({"REPLICAS": "1"})
    assert "\n".join(exporter.render(values.items())) == (
        "# HELP devportal_replicas_wanted Replicas of the portal that there should be.\n"
        "# TYPE devportal_replicas_wanted gauge\n"
        "devportal_replicas_wanted 1"
    )
