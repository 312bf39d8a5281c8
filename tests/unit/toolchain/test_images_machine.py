"""toolchain/images: what containers take over from the machine, and what they do not."""

from pathlib import Path

import pytest

from toolchain.images import machine
from toolchain.images.machine import find_certificates, machine_files, proxy_arguments


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A machine without apt, npm, certificates of its own or pip settings."""
    monkeypatch.setattr(machine, "_output", lambda *command: "")
    monkeypatch.setattr(machine, "_OWN_CERTIFICATES", tmp_path / "none")
    monkeypatch.setattr(machine, "_BUNDLES", ())
    monkeypatch.setattr(machine, "_SYSTEM_PIP", tmp_path / "etc" / "pip.conf")
    return {"HOME": str(tmp_path)}


def test_pip_trusts_the_machines_certificates(bare_machine: dict[str, str]) -> None:
    assert machine_files(bare_machine)["etc/pip.conf"] == (
        b"[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n"
    )


def test_pip_index_comes_along_and_paths_of_the_machine_do_not(
    bare_machine: dict[str, str],
) -> None:
    environ = {
        **bare_machine,
        "PIP_INDEX_URL": "https://pip.example/simple",
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_CERT": "/home/me/ca.pem",
    }
    assert machine_files(environ)["etc/pip.conf"] == (
        b"[global]\n"
        b"cert = /etc/ssl/certs/ca-certificates.crt\n"
        b"index-url = https://pip.example/simple\n"
    )


def test_environment_wins_over_pips_files(bare_machine: dict[str, str]) -> None:
    settings = Path(bare_machine["HOME"]) / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://file.example\nproxy = http://p.example\n")
    environ = {**bare_machine, "PIP_INDEX_URL": "https://environment.example"}
    text = machine_files(environ)["etc/pip.conf"].decode()
    assert "index-url = https://environment.example\n" in text
    assert "proxy = http://p.example\n" in text
    assert "file.example" not in text


def test_apt_proxy_comes_along_and_hooks_do_not(
    bare_machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = 'Acquire::http::Proxy "http://p.example";\nDPkg::Post-Invoke:: "rm -rf /x";\n'
    monkeypatch.setattr(machine, "_output", lambda *command: dump if "dump" in command else "")
    assert machine_files(bare_machine)["etc/apt/apt.conf.d/80machine"] == (
        b'Acquire::http::Proxy "http://p.example";\n'
    )


def test_npm_registry_reaches_debians_npm_and_npms_own(
    bare_machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"registry": "https://npm.example/", "proxy": "null"}
    monkeypatch.setattr(machine, "_output", lambda *command: answers.get(command[-1], ""))
    files = machine_files(bare_machine)
    assert files["etc/npmrc"] == files["usr/etc/npmrc"]
    assert files["etc/npmrc"] == (
        b"cafile = /etc/ssl/certs/ca-certificates.crt\nregistry = https://npm.example/\n"
    )


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


def test_only_proxies_that_are_set_become_build_arguments() -> None:
    environ = {"HTTPS_PROXY": "http://p.example", "no_proxy": "", "SECRET": "x"}
    assert proxy_arguments(environ) == {"HTTPS_PROXY": "http://p.example"}
