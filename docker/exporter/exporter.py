#!/usr/bin/env python3
"""Metrics that no service of the stack has: of backups, and of the certificate that Nginx serves.

The backups' image has nothing that speaks HTTP, so their folder is read from here. The certificate
is asked for as a client does: it is the one that Nginx serves, not the one that it was given.
"""

import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PORT = 9105
_TIMEOUT_SECONDS = 5
_HELP = {
    "devportal_replicas_wanted": "Replicas of the portal that there should be.",
    "devportal_backup_interval_seconds": "Time from one backup to the next.",
    "devportal_backup_test_interval_seconds": "Time from one trial restore to the next.",
    "devportal_backup_newest_timestamp_seconds": "Start of the newest whole backup; 0 without any.",
    "devportal_backup_failed": "1 from a failed backup to the next one that succeeds.",
    "devportal_backup_tested_timestamp_seconds": "End of the last trial restore; 0 without any.",
    "devportal_backup_restorable": "0 when the last trial restore failed.",
    "devportal_nginx_up": "1 when Nginx accepts a TLS connection.",
    "devportal_certificate_expires_timestamp_seconds": "End of the certificate that Nginx serves.",
}
Backup = tuple[float, Mapping[str, Any] | None]
"""When it was begun, and the result of its trial."""


def find_values(environ: Mapping[str, str]) -> dict[str, float]:
    """Every metric of what the stack has, by name."""
    found = {"devportal_replicas_wanted": float(environ["REPLICAS"])}
    if store := environ.get("BACKUP_STORE"):
        found["devportal_backup_interval_seconds"] = float(environ["BACKUP_INTERVAL_SECONDS"])
        found["devportal_backup_test_interval_seconds"] = float(
            environ["BACKUP_CHECK_INTERVAL_SECONDS"]
        )
        found |= read_backups(Path(store), time.time())
    if address := environ.get("NGINX_ADDRESS"):
        found |= ask_nginx(address)
    return found


def read_backups(store: Path, now: float) -> dict[str, float]:
    """What `backups health` judges by, in docker/backups/backups.sh."""
    names = sorted(path.name for path in store.glob("[0-9]*T[0-9]*Z*"))
    found = (backup for name in names if (backup := _read_backup(store / name)))
    # Not one of a day to come: the clock may have been wrong.
    whole = [(started, test) for started, test in found if started <= now]
    tests = [test for _, test in whole if test]
    return {
        "devportal_backup_newest_timestamp_seconds": max(
            (started for started, _ in whole), default=0
        ),
        "devportal_backup_failed": float((store / ".failure").exists()),
        "devportal_backup_tested_timestamp_seconds": (
            _seconds(tests[-1]["checked_at"], "%Y-%m-%dT%H:%M:%S%z") if tests else 0
        ),
        "devportal_backup_restorable": float(not tests or tests[-1]["result"] == "passed"),
    }


def _read_backup(folder: Path) -> Backup | None:
    """None for one that was not complete, is damaged, or has just been removed."""
    if _read_json(folder / "manifest.json") is None:
        return None
    started = _seconds(folder.name[: len("20261125T060000Z")], "%Y%m%dT%H%M%S%z")
    return started, _read_json(folder / "check.json")


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _seconds(text: str, layout: str) -> float:
    return datetime.strptime(text, layout).timestamp()


def ask_nginx(address: str) -> dict[str, float]:
    """Whether it answers, and when its certificate expires; `address` is `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        certificate = ssl.get_server_certificate((host, int(port)), timeout=_TIMEOUT_SECONDS)
    except OSError:
        return {"devportal_nginx_up": 0}
    # Python itself reads a certificate only where it can verify that.
    command = ["openssl", "x509", "-noout", "-enddate"]
    told = subprocess.run(command, input=certificate, text=True, check=True, capture_output=True)
    expires = ssl.cert_time_to_seconds(told.stdout.strip().removeprefix("notAfter="))
    return {
        "devportal_nginx_up": 1,
        "devportal_certificate_expires_timestamp_seconds": expires,
    }


def render(values: Iterable[tuple[str, float]]) -> Iterator[str]:
    """Lines of Prometheus' text format."""
    for name, value in values:
        yield f"# HELP {name} {_HELP[name]}"
        yield f"# TYPE {name} gauge"
        yield f"{name} {value:.0f}"


class Handler(BaseHTTPRequestHandler):
    """Answers /metrics; a failure is a scrape that failed, and in the log."""

    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        if self.path != "/metrics":
            self.send_error(404)
            return
        try:
            text = "\n".join([*render(find_values(os.environ).items()), ""])
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
            print(f"exporter: {error}", flush=True)
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: there is one every few seconds."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", _PORT), Handler).serve_forever()
