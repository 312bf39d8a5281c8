"""docker/nginx/start-nginx.sh, with a program that says how nginx was called."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("shell")
SCRIPT = Path(__file__).resolve().parents[3] / "docker" / "nginx" / "start-nginx.sh"
FILES = {"nginx.conf": "events {}\n", "peers.conf": "server app-1:8000;\n", "server.crt": "PEM"}
REPAIRS = "Run `make up`, which writes it again.\n"
Damage = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "nginx"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "nginx $*"\n')
    program.chmod(0o755)
    for name in ("live", "candidate"):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in FILES.items():
            (folder / file).write_text(text)
        sums = [f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\n" for n, t in FILES.items()]
        (folder / "checksums").write_text("".join(sums))
    return tmp_path


def start(root: Path) -> subprocess.CompletedProcess[str]:
    path = f"{root}/bin:{os.environ['PATH']}"
    environ = {"PATH": path, "NGINX_FOLDER": str(root)}
    words = ["sh", str(SCRIPT), "-g", "daemon off;"]
    return subprocess.run(words, capture_output=True, text=True, env=environ)


def test_live_configuration_is_served(root: Path) -> None:
    done = start(root)
    assert (done.stdout, done.stderr) == (f"nginx -c {root}/live/nginx.conf -g daemon off;\n", "")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("peers.conf", lambda path: path.write_text("")),
        ("server.crt", lambda path: path.write_bytes(b"\0\0\0")),
        ("nginx.conf", lambda path: path.rename(path.with_suffix(".new"))),
        ("checksums", lambda path: path.write_text("")),
        ("checksums", lambda path: path.write_bytes(bytes(200))),
        ("checksums", lambda path: path.unlink()),
    ],
)
def test_damaged_configuration_gives_way_to_the_candidate(
    root: Path, name: str, damage: Damage
) -> None:
    damage(root / "live" / name)
    done = start(root)
    said = f"nginx: {root}/live: should be as it was written (got other contents in {name}). "
    assert done.stdout == f"nginx -c {root}/candidate/nginx.conf -g daemon off;\n"
    assert done.stderr == said + REPAIRS
    damage(root / "candidate" / name)
    done = start(root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == said + REPAIRS + said.replace("live", "candidate") + REPAIRS
