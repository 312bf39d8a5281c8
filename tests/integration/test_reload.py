"""Hot reload: what is saved in `app/` is what the portal answers."""

import time

import httpx

from benchmarks.harness.portal_stack import PortalStack

SAVED = """
@router.get("/saved-just-now", **access(Access.PUBLIC))
async def saved() -> str:
    return "yes"
"""


def test_saved_line_is_served_without_an_up(running_stack: PortalStack) -> None:
    routes = running_stack.project / "app" / "http" / "routes" / "health.py"
    routes.write_text(f"{routes.read_text()}\n{SAVED}")
    url = running_stack.output("portal_url") + "/saved-just-now"
    assert wait_for_answer(url) == '"yes"'


def wait_for_answer(url: str, *, timeout_seconds: float = 30) -> str:
    """The first good answer of `url`; the server may restart meanwhile."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        try:
            response = httpx.get(url)
        except httpx.TransportError:
            continue
        if response.status_code == 200:
            return response.text
        time.sleep(0.05)
    raise AssertionError(f"{url}: should answer within {timeout_seconds:.0f} s")
