"""A long build shows its step, a failed one its last lines."""

from unittest.mock import MagicMock

import pytest

from infra.naming import BUILD_LOGS
from operations import build_logs
from operations.build_logs import follow_builds, running_steps
from operations.stack import Stack
from toolchain.setup.atomic import write_file

STARTED = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#5 [base 1/2] FROM docker.io/library/python
#5 CACHED

#6 [base 2/2] RUN pip install
#6 0.412 Collecting fastapi
"""
FAILED = """\
#6 9.1 no such package
#6 ERROR: process "/bin/sh -c pip install" did not complete successfully: exit code: 3
------
 > [base 2/2] RUN pip install:
0.412 Collecting fastapi
9.1 no such package
------
"""


@pytest.fixture
def images(stack: Stack) -> Stack:
    """A stack with images of two roles."""
    for role in ("app", "redis"):
        write_file(stack.root / "docker" / role / "Dockerfile", "")
    return stack


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (STARTED, ["[base 2/2] RUN pip install"]),
        (f"{STARTED}#6 DONE 0.9s\n#7 [base 3/3] half a li", []),
        (f"{STARTED}#6 DONE 0.9s\n#7 [base 3/3] whole\n", ["[base 3/3] whole"]),
        (STARTED + FAILED, []),
    ],
)
def test_step_runs_from_its_line_to_its_end(text: str, steps: list[str]) -> None:
    assert running_steps(text) == steps


def test_step_that_goes_on_is_shown_once(
    images: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = [{"a"}, {"a", "b"}, {"a"}, {"a", "b"}, {"a", "b"}]
    write_file(images.root / BUILD_LOGS / "dev-app.log", "")
    monkeypatch.setattr(build_logs, "running_steps", lambda text: looks.pop(0))
    ended = MagicMock(wait=lambda seconds: not looks)
    build_logs._print_steps(images, ended)
    assert capsys.readouterr().out == "app image: a\napp image: b\n"


@pytest.mark.parametrize("show_steps", [True, False])
def test_failure_is_shown_with_its_step_and_last_lines(
    images: Stack, capsys: pytest.CaptureFixture[str], show_steps: bool
) -> None:
    log = images.root / BUILD_LOGS / "dev-app.log"
    write_file(log, STARTED + FAILED)
    with follow_builds(images, show_steps=show_steps):
        # That of an earlier build is gone: the builder appends.
        assert not log.exists()
        log.write_text(STARTED + FAILED)
        (images.root / BUILD_LOGS / "dev-redis.log").write_text(STARTED)
    assert capsys.readouterr().out == (
        "app image: the build failed at [base 2/2] RUN pip install\n"
        "    0.412 Collecting fastapi\n"
        "    9.1 no such package\n"
        "    Whole output: .build-logs/dev-app.log\n"
    )


def test_logs_of_a_stack_whose_name_begins_alike_stay(images: Stack) -> None:
    other = images.root / BUILD_LOGS / "dev-2-app.log"
    write_file(other, FAILED)
    with follow_builds(images, show_steps=False):
        assert other.read_text() == FAILED
