"""Where pages may lead."""

import pytest

from app.web.links import entity_path, is_web_url, own_path, with_query


@pytest.mark.parametrize("path", ["/", "/teams", "/entities/api/default/x?tab=1#part", "/a//b"])
def test_a_path_of_the_portal_is_followed(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "teams", "/a\x00b", "https://evil.example", "javascript:alert(1)"),
        *("//evil.example", " //evil.example"),
        *("/\\evil.example", "/\t/evil.example", "/\n/evil.example"),
    ],
)
def test_whatever_else_leads_home(path: str | None) -> None:
    assert own_path(path) == "/"


@pytest.mark.parametrize("url", ["http://example.com", "https://example.com/a?b=c#d"])
def test_web_addresses_become_links(url: str) -> None:
    assert is_web_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com",
        "/path",
        "ftp://x",
        "http://[",
        "",
    ],
)
def test_no_other_address_becomes_a_link(url: str) -> None:
    assert not is_web_url(url)


def test_what_is_empty_is_not_in_the_query() -> None:
    assert with_query("/", {"kind": "api", "tag": "", "owner": None}) == "/?kind=api"
    assert with_query("/", {"q": "a b&c"}) == "/?q=a+b%26c"
    assert with_query("/", {}) == "/"
    assert with_query("/", {"kind": "api", "tag": "a"}, tag="", kind="system") == "/?kind=system"


def test_parts_of_an_address_are_encoded() -> None:
    assert entity_path("api", "default", "a/b", "pages") == "/entities/api/default/a%2Fb/pages"
