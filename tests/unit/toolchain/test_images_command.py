"""toolchain/images: the command line."""

import pytest

from toolchain.images import __main__ as command
from tests.support.image_builder import FakeImageEngine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeImageEngine:
    fake = FakeImageEngine()
    monkeypatch.setattr(command, "HttpEngine", lambda _address: fake)
    return fake


def test_status_fails_while_an_image_is_missing(
    engine: FakeImageEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["status", "redis"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "debian           devportal/base-debian:bookworm-1         missing",
        "redis            devportal/base-redis:7-1                 missing",
    ]


def test_status_does_without_the_common_layer(
    engine: FakeImageEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.images["devportal/base-redis:7-1"] = "sha256:x"
    assert command.main(["status", "redis"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "redis            devportal/base-redis:7-1                 1 MB"
    )


def test_mistakes_are_told_in_a_line(
    engine: FakeImageEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["build", "mysql"]) == 1
    assert capsys.readouterr().err == (
        "role: should be one of adminer, nginx, postgres, python, redis, redis-commander "
        "(got 'mysql'). Correct it.\n"
    )


def test_build_says_what_is_ready(
    engine: FakeImageEngine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: str,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engine.images["devportal/base-redis:7-1"] = "sha256:x"
    assert command.main(["build", "redis"]) == 0
    assert capsys.readouterr().out == "redis: ready (devportal/base-redis:7-1)\n"
