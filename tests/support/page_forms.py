"""A visitor of the portal's pages who sends their forms, without a browser."""

import re

import httpx
from fastapi.testclient import TestClient

from tests.support.portal_client import PASSWORD


class Browser:
    """Holds cookies, follows no redirect, asks for pages and sends their forms."""

    def __init__(self, client: TestClient) -> None:
        client.cookies.clear()
        client.follow_redirects = False
        client.headers["Accept"] = "text/html"
        self._client = client

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def sign_in(self, email: str, target: str = "") -> httpx.Response:
        return self.post("/sign-in", email=email, password=PASSWORD, next=target)

    def post(self, path: str, *, file: str = "", **fields: str) -> httpx.Response:
        files = {"file": ("document.json", file)} if file else None
        return self._client.post(path, data=fields, files=files)

    def send(self, path: str, action: str = "", **fields: str) -> httpx.Response:
        """Open a page and send its form to `action`, with the token and the version it holds."""
        page = self.get(path).text
        hidden = re.findall(r'name="(csrf_token|etag)" value="([^"]*)"', page)
        kept = {name: value.replace("&#34;", '"') for name, value in hidden}
        return self.post(action or path, **kept, **fields)


def sign_in(replica: TestClient, email: str) -> Browser:
    """Someone of the example data."""
    browser = Browser(replica)
    assert browser.sign_in(email).status_code == 303
    return browser


def alert(answer: httpx.Response) -> tuple[int, str]:
    """Status and the text of the page's alert."""
    found = re.search(r'role="alert">.*?<div>(.*?)</div>', answer.text, re.DOTALL)
    return answer.status_code, found.group(1) if found else ""
