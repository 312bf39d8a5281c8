"""Nginx's configuration as it is rendered from the settings."""

import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from infra.services.nginx.files import render_files, render_peers
from infra.settings import Settings


def render_into(folder: Path, settings: dict[str, Any]) -> Path:
    """The whole configuration in a folder; its main file."""
    files = render_files(
        Settings.model_validate({"stack": "prod", "environment": "production", **settings})
    )
    files["peers.conf"] = render_peers(["app-1:8000", "app-2:8000"])
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / "nginx.conf"


def ask_gixy(folder: Path, settings: dict[str, Any]) -> str:
    main = render_into(folder, settings)
    gixy = Path(sys.executable).with_name("gixy")
    return run([gixy, main], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"nginx": {"http3": True}, "ports": {"https": 8443}},
        {"nginx": {"requests_per_second": 0, "connections_per_client": 0}},
    ],
)
def test_gixy_finds_nothing(tmp_path: Path, settings: dict[str, Any]) -> None:
    said = ask_gixy(tmp_path, settings)
    assert "No issues found." in said, said


def test_gixy_reads_what_is_included(tmp_path: Path) -> None:
    spoofed = "location /x { proxy_pass http://app; proxy_set_header Host $http_host; }"
    said = ask_gixy(tmp_path, {"nginx": {"extra_configuration": spoofed}})
    assert "[host_spoofing]" in said
