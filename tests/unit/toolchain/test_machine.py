"""What base images take over from the machine: mirrors, certificates, settings of pip and npm."""

import configparser
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms
from tests.support.refusals import refusal
from toolchain.images import machine
from toolchain.images.machine import Mirrors, find_certificates, find_mirrors, machine_files
from toolchain.setup.atomic import write_file


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (
            "https://node.example/node_20.x/ nodistro main\n"
            "http://mirror.example/debian/ bookworm main\n"
            "http://mirror.example/debian-security/ bookworm-security main\n",
            Mirrors("http://mirror.example/debian/", "http://mirror.example/debian-security/"),
        ),
        ("https://m.example/debian/ trixie main", Mirrors("https://m.example/debian/")),
        ("http://m.example/ubuntu/ jammy main", None),
        ("http://m.example/debian/ bookworm contrib", None),
        ("file:///media/debian/ bookworm main", None),
        ("", None),
    ],
)
def test_mirrors_are_those_of_the_machines_apt(
    targets: str, expected: Mirrors | None, programs: FakePrograms
) -> None:
    programs.put("apt-get", f"cat <<'E'\n{targets}\nE")
    environ = {"PATH": programs.path}
    if expected is not None:
        assert find_mirrors(environ) == expected
        return
    assert refusal(find_mirrors, environ) == (
        "apt: should know a Debian mirror (got none in its sources). Set DEVPORTAL_DEBIAN_MIRROR "
        "to the address that holds dists/bookworm, and DEVPORTAL_DEBIAN_SECURITY_MIRROR to that "
        "of bookworm-security."
    )


def test_sources_have_security_only_where_there_is_a_mirror_of_it_and_no_shown_credential() -> None:
    main = "deb http://m/debian bookworm main\ndeb http://m/debian bookworm-updates main\n"
    assert Mirrors("http://m/debian").sources_list() == main
    assert Mirrors("http://m/debian", "http://m/s").sources_list() == (
        f"{main}deb http://m/s bookworm-security main\n"
    )
    assert Mirrors("http://user:word@m/debian").shown == "http://m/debian"


@pytest.fixture
def bare(
    programs: FakePrograms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Mapping[str, str]:
    """A machine without certificates of its own or pip settings; apt and npm print a little."""
    dump = 'Acquire::http::Proxy "http://p.example";\nDPkg::Post-Invoke:: "rm -rf /x";'
    programs.put("apt-config", f"cat <<'E'\n{dump}\nE")
    programs.put("npm", "case $3 in registry) echo https://npm.example/ ;; *) echo null ;; esac")
    monkeypatch.setattr(machine, "_OWN_CERTIFICATES", tmp_path / "none")
    monkeypatch.setattr(machine, "_BUNDLES", ())
    monkeypatch.setattr(machine, "_SYSTEM_PIP", tmp_path / "etc" / "pip.conf")
    return {"HOME": str(tmp_path), "PATH": programs.path}


def test_addresses_of_mirrors_come_along_and_hooks_and_paths_do_not(
    bare: Mapping[str, str], tmp_path: Path
) -> None:
    settings = tmp_path / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://file.example\nproxy = http://p.example\n")
    own = {"PIP_INDEX_URL": "https://pip.example/simple", "PIP_FIND_LINKS": "/opt/wheels"}
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    npm = f"cafile = {certificates}\nregistry = https://npm.example/\n"
    assert machine_files({**bare, **own, "PIP_CERT": "/home/me/ca.pem"}) == {
        "etc/apt/apt.conf.d/80machine": 'Acquire::http::Proxy "http://p.example";\n',
        "etc/pip.conf": (
            f"[global]\ncert = {certificates}\nindex-url = https://pip.example/simple\n"
            "proxy = http://p.example\n"
        ),
        "etc/npmrc": npm,
        "usr/etc/npmrc": npm,
    }


@pytest.mark.parametrize(("named", "index"), [("named.conf", "named"), ("none.conf", "own")])
def test_file_of_pips_that_the_environment_names_comes_in_place_of_the_users(
    named: str, index: str, bare: Mapping[str, str], tmp_path: Path
) -> None:
    for name, host in ((".config/pip/pip.conf", "own"), ("named.conf", "named")):
        write_file(tmp_path / name, f"[global]\nindex-url = https://{host}.example\n")
    files = machine_files({**bare, "PIP_CONFIG_FILE": str(tmp_path / named)})
    assert files["etc/pip.conf"].splitlines()[-1] == f"index-url = https://{index}.example"


def test_several_indexes_of_pip_stay_several(bare: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    text = "[global]\nextra-index-url =\n    https://a.example\n    https://b.example\n"
    (tmp_path / ".pip" / "pip.conf").write_text(text)
    written = configparser.RawConfigParser()
    written.read_string(machine_files(bare)["etc/pip.conf"])
    assert written["global"]["extra-index-url"].split() == [
        "https://a.example",
        "https://b.example",
    ]


def test_named_certificate_bundle_comes_before_the_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system, own = tmp_path / "system.crt", tmp_path / "own.crt"
    system.touch()
    own.touch()
    monkeypatch.setattr(machine, "_BUNDLES", (tmp_path / "missing", system))
    assert find_certificates({}) == system
    assert find_certificates({"SSL_CERT_FILE": str(own)}) == own
    assert find_certificates({"SSL_CERT_FILE": str(tmp_path / "gone")}) == system
