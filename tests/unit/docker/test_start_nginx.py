"""docker/nginx/start-nginx.sh, with a program that says how nginx was called."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import run_script

pytestmark = pytest.mark.usefixtures("shell")
FILES = {"nginx.conf": "events {}\n", "peers.conf": "server app-1:8000;\n", "server.crt": "PEM"}
REPAIRS = "Run `make up`, which writes it again.\n"
Damage = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("live", "candidate"):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in FILES.items():
            (folder / file).write_text(text)
        sums = [f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\n" for n, t in FILES.items()]
        (folder / "checksums").write_text("".join(sums))
    return tmp_path


def start(root: Path, programs: FakePrograms) -> tuple[str, str]:
    """What nginx was called with, and what was said."""
    programs.put("nginx", 'echo "nginx $*"')
    words = ("nginx/start-nginx.sh", "-g", "daemon off;")
    done = run_script(*words, programs=programs, NGINX_FOLDER=str(root))
    assert done.returncode == (0 if done.stdout else 1)
    return done.stdout, done.stderr


def test_live_configuration_is_served(root: Path, programs: FakePrograms) -> None:
    assert start(root, programs) == (f"nginx -c {root}/live/nginx.conf -g daemon off;\n", "")


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
    root: Path, programs: FakePrograms, name: str, damage: Damage
) -> None:
    said = f"nginx: {root}/live: should be as it was written (got other contents in {name}). "
    damage(root / "live" / name)
    assert start(root, programs) == (
        f"nginx -c {root}/candidate/nginx.conf -g daemon off;\n",
        said + REPAIRS,
    )
    damage(root / "candidate" / name)
    both = said + REPAIRS + said.replace("live", "candidate") + REPAIRS
    assert start(root, programs) == ("", both)
