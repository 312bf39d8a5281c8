"""A long build shows its step, a failed one its last lines."""

import pytest

from infra.resources.image import BUILD_LOGS
from operations.build_logs import FOLDER, BuildLog, follow_builds
from operations.stack import Stack

STARTED = b"""\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#5 [base 1/2] FROM docker.io/library/python
#5 CACHED

#6 [base 2/2] RUN pip install
#6 0.412 Collecting fastapi
"""
FAILED = b"""\
#6 9.1 no such package
#6 ERROR: process "/bin/sh -c pip install" did not complete successfully: exit code: 3
------
 > [base 2/2] RUN pip install:
0.412 Collecting fastapi
9.1 no such package
------
"""


@pytest.fixture
def log(stack: Stack) -> BuildLog:
    (stack.root / FOLDER).mkdir()
    (stack.root / FOLDER / "dev-app.log").write_bytes(STARTED)
    return BuildLog(stack.root / FOLDER / "dev-app.log", "app")


def test_step_that_goes_on_is_shown_once(log: BuildLog) -> None:
    shown = [list(log.slow_steps()) for _ in range(3)]
    assert shown == [[], ["app image: [base 2/2] RUN pip install"], []]


def test_step_that_ends_at_once_is_not_shown(log: BuildLog) -> None:
    list(log.slow_steps())
    with log.path.open("ab") as file:
        file.write(b"#6 DONE 0.9s\n#7 [base 3/3] half a li")
    assert list(log.slow_steps()) == []
    with log.path.open("ab") as file:
        file.write(b"ne\n")
    assert [list(log.slow_steps()), list(log.slow_steps())] == [
        [],
        ["app image: [base 3/3] half a line"],
    ]


def test_failure_is_shown_with_its_step_and_last_lines(
    stack: Stack, log: BuildLog, capsys: pytest.CaptureFixture[str]
) -> None:
    log.path.write_bytes(STARTED + FAILED)
    with follow_builds(stack, show_steps=True):
        # That of an earlier build is gone: the builder appends.
        assert not log.path.exists()
        log.path.write_bytes(STARTED)
        assert log.failure() is None
        log.path.write_bytes(STARTED + FAILED)
    assert capsys.readouterr().out == (
        "app image: the build failed at [base 2/2] RUN pip install\n"
        "    0.412 Collecting fastapi\n"
        "    9.1 no such package\n"
        "    Whole output: .build-logs/dev-app.log\n"
    )


def test_logs_are_read_where_the_images_write_them() -> None:
    assert FOLDER == BUILD_LOGS
