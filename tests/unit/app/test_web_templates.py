"""Templates keep to what the pages' policy allows, and look the same everywhere."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from app.http.middleware import SECURITY_HEADERS
from app.web.assets import OwnFiles, asset_url
from infra.resources.build_context import ROOT

_FOLDER = ROOT / "app" / "templates"
_TEMPLATES = sorted(_FOLDER.rglob("*.html"))
_NAMES = [str(path.relative_to(_FOLDER)) for path in _TEMPLATES]


@pytest.mark.parametrize("path", _TEMPLATES, ids=_NAMES)
def test_no_template_has_inline_code_or_style(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    scripts = re.findall(r"<script[^>]*>", text)
    assert [script for script in scripts if "src=" not in script] == []
    assert re.findall(r"<script[^>]*>(?!</script>)", text) == []


@pytest.mark.parametrize("path", _TEMPLATES, ids=_NAMES)
def test_every_form_that_changes_something_carries_the_token(path: Path) -> None:
    text = path.read_text()
    forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)
    assert [form for form in forms if "token()" not in form] == []


def test_the_policy_is_that_of_nginx() -> None:
    text = (ROOT / "docker" / "nginx" / "headers.conf").read_text()
    sent = dict(re.findall(r'^add_header (\S+) "?([^"$]*?)"? always;$', text, re.MULTILINE))
    assert sent == SECURITY_HEADERS


def test_the_address_of_an_asset_tells_what_it_holds() -> None:
    assert re.fullmatch(r"/assets/portal\.css\?v=[0-9a-f]{12}", asset_url("portal.css"))
    assert asset_url("portal.css") != asset_url("search.js")


def test_file_of_another_version_than_its_address_is_kept_by_no_cache() -> None:
    client = TestClient(Starlette(routes=[Mount("/assets", OwnFiles())]))
    own = asset_url("portal.css")
    said = [
        client.get(url).headers.get("cache-control")
        for url in (own, "/assets/portal.css", "/assets/portal.css?v=0123456789ab")
    ]
    assert said == [None, None, "no-store"]


def test_every_picture_of_the_docs_is_there_and_small() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(r"screenshots/([a-z-]+\.png)", page.read_text())
    }
    pictures = list((ROOT / "docs" / "screenshots").iterdir())
    assert named == {picture.name for picture in pictures}
    assert [picture.name for picture in pictures if picture.stat().st_size > 150_000] == []
