"""toolchain/images: mirrors come from the machine's own apt."""

import pytest

from toolchain.images import mirrors
from toolchain.images.errors import ImagesError
from toolchain.images.mirrors import Mirrors, find_mirrors, parse_targets


def test_debian_mirror_is_found_among_other_sources() -> None:
    targets = (
        "https://node.example/node_20.x/ nodistro main\n"
        "http://mirror.example/debian/ bookworm main\n"
        "http://mirror.example/debian/ bookworm-updates main\n"
        "http://mirror.example/debian-security/ bookworm-security main\n"
    )
    assert parse_targets(targets) == Mirrors(
        "http://mirror.example/debian/", "http://mirror.example/debian-security/"
    )


def test_mirror_of_a_newer_debian_serves_too() -> None:
    assert parse_targets("https://m.example/debian/ trixie main\n") == Mirrors(
        "https://m.example/debian/"
    )


@pytest.mark.parametrize(
    "line",
    [
        "http://m.example/ubuntu/ jammy main",
        "http://m.example/debian/ bookworm contrib",
        "file:///media/debian/ bookworm main",
        "",
    ],
)
def test_what_is_no_debian_archive_is_passed_over(line: str) -> None:
    assert parse_targets(line) is None


def test_environment_wins_over_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "_ask_apt", lambda: "http://apt.example/debian/ bookworm main")
    environ = {
        "DEVPORTAL_DEBIAN_MIRROR": "http://own.example/debian",
        "DEVPORTAL_DEBIAN_SECURITY_MIRROR": "http://own.example/security",
    }
    assert find_mirrors(environ) == Mirrors(
        "http://own.example/debian", "http://own.example/security"
    )


def test_no_mirror_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "_ask_apt", lambda: "")
    with pytest.raises(ImagesError) as caught:
        find_mirrors({})
    assert str(caught.value) == (
        "apt: should know a Debian mirror (got none in its sources). "
        "Set DEVPORTAL_DEBIAN_MIRROR to the address that holds dists/bookworm, "
        "and DEVPORTAL_DEBIAN_SECURITY_MIRROR to that of bookworm-security."
    )


def test_sources_list_has_security_only_where_there_is_a_mirror_of_it() -> None:
    assert Mirrors("http://m/debian").sources_list() == (
        "deb http://m/debian bookworm main\ndeb http://m/debian bookworm-updates main\n"
    )
    assert Mirrors("http://m/debian", "http://m/s").sources_list().splitlines()[-1] == (
        "deb http://m/s bookworm-security main"
    )
