"""Hot reload: what is saved in `app/` is what the portal answers."""

from contextlib import suppress

import httpx

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for

SAVED = """
@router.get("/saved-just-now", **access(Access.PUBLIC))
async def saved() -> str:
    return "yes"
"""


def test_saved_line_is_served_without_an_up(running_stack: PortalStack) -> None:
    routes = running_stack.project / "app" / "http" / "routes" / "health.py"
    routes.write_text(f"{routes.read_text()}\n{SAVED}")

    def answer() -> str | None:
        # The server restarts meanwhile.
        with suppress(httpx.TransportError):
            found = httpx.get(f"{url}/saved-just-now")
            return found.text if found.status_code == 200 else None

    url = running_stack.output("portal_url")
    assert wait_for(answer) == '"yes"'
