"""A visitor of the portal's pages who sends their forms, without a browser."""

import re

import httpx
from fastapi.testclient import TestClient

from tests.support.portal_client import PASSWORD, as_browser


class Browser:
    """Holds cookies, follows no redirect, asks for pages and sends their forms."""

    def __init__(self, client: TestClient) -> None:
        client.cookies.clear()
        self._client = as_browser(client)

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
