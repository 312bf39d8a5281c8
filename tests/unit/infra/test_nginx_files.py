"""Nginx's configuration as it is rendered from the settings."""

import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from infra.resources.build_context import ROOT
from infra.services.nginx import live
from infra.services.nginx.files import Site, render_files
from infra.services.nginx.live import render_peers
from infra.settings import NginxSettings, PortSettings

ASSETS = ROOT / "app" / "static"


def site(*, drain_seconds: int = 30, **ports: Any) -> Site:
    return Site(
        domain="portal.example.com", ports=PortSettings(**ports), drain_seconds=drain_seconds
    )


def directives(name: str, *, at: Site, start: str) -> list[str]:
    """Lines of a rendered file that begin with a directive."""
    lines = render_files(NginxSettings(), at, None)[name].splitlines()
    return [line.strip() for line in lines if line.strip().startswith(start)]


def render_into(folder: Path, nginx: dict[str, Any], at: Site) -> Path:
    """The whole configuration in a folder; its main file."""
    files = render_files(NginxSettings.model_validate(nginx), at, ASSETS)
    files["peers.conf"] = render_peers(["app-1:8000", "app-2:8000"])
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / "nginx.conf"


def run_gixy(folder: Path, nginx: dict[str, Any], at: Site) -> str:
    main = render_into(folder, nginx, at)
    gixy = Path(sys.executable).with_name("gixy")
    return run([gixy, main], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("nginx", "at"),
    [
        ({}, site()),
        ({"http3": True}, site(https=8443)),
        ({"requests_per_second": 0, "connections_per_client": 0}, site(bind_address="::1")),
    ],
)
def test_gixy_finds_nothing(tmp_path: Path, nginx: dict[str, Any], at: Site) -> None:
    report = run_gixy(tmp_path, nginx, at)
    assert "No issues found." in report, report


def test_gixy_reads_what_is_included(tmp_path: Path) -> None:
    spoofed = "location /x { proxy_pass http://app; proxy_set_header Host $http_host; }"
    assert "[host_spoofing]" in run_gixy(tmp_path, {"extra_configuration": spoofed}, site())


@pytest.mark.parametrize(
    ("bind_address", "names"),
    [
        ("127.0.0.1", "portal.example.com 127.0.0.1"),
        ("192.0.2.7", "portal.example.com 192.0.2.7 127.0.0.1"),
        ("::1", "portal.example.com [::1] 127.0.0.1"),
        ("2001:DB8:0::7", "portal.example.com [2001:db8::7] 127.0.0.1"),
    ],
)
def test_site_answers_for_its_domain_and_its_address(bind_address: str, names: str) -> None:
    at = site(bind_address=bind_address)
    assert directives("nginx.conf", at=at, start="server_name ") == [f"server_name {names};"]


@pytest.mark.parametrize(
    ("port", "redirect"),
    [
        (443, "return 301 https://portal.example.com$request_uri;"),
        (8443, "return 301 https://portal.example.com:8443$request_uri;"),
        (0, "return 403;"),
    ],
)
def test_redirect_leads_to_the_port_that_clients_use(port: int, redirect: str) -> None:
    lines = directives("nginx.conf", at=site(https=port), start="return ")
    assert redirect in lines


def test_workers_that_are_replaced_drain_for_as_long_as_the_portal() -> None:
    lines = directives("nginx.conf", at=site(drain_seconds=7), start="worker_shutdown_timeout")
    assert lines == ["worker_shutdown_timeout 7s;"]


def test_nginx_serves_static_files_of_the_running_version_alone(tmp_path: Path) -> None:
    """An earlier one has left its own in the volume."""
    (tmp_path / "fonts").mkdir()
    for name in ("portal.css", "fonts/a.woff2", "portal.css~"):
        (tmp_path / name).touch()
    found = render_files(NginxSettings(), site(), tmp_path)["assets.conf"]
    assert found == 'location = "/assets/fonts/a.woff2" {}\nlocation = "/assets/portal.css" {}\n'


def test_portal_of_an_image_from_elsewhere_serves_its_own_static_files() -> None:
    assert render_files(NginxSettings(), site(), None)["assets.conf"] == ""


def test_files_are_the_same_in_whatever_order_the_state_has_them() -> None:
    files = {"nginx.conf": "a", "site.conf": "b"}
    props: dict[str, Any] = {"files": files, "secret_files": {}, "assets": None}
    other = {**props, "files": dict(reversed(files.items()))}
    assert live._files(props, []) == live._files(other, [])
