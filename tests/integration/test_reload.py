"""Hot reload: what is saved in `app/` is what the portal answers."""

import os
import signal
from contextlib import suppress

import httpx

from benchmarks.harness.portal_stack import PortalStack
from tests.support.restarts import wait_until_healthy
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


def test_container_starts_again_when_its_server_was_killed(running_stack: PortalStack) -> None:
    container = running_stack.container("app")
    before = container.attrs["RestartCount"]
    table = container.top(ps_args="-eo pid,args")
    [server] = [int(pid) for pid, line in table["Processes"] if "spawn_main" in line]
    os.kill(server, signal.SIGKILL)

    def has_restarted() -> bool:
        container.reload()
        return container.attrs["RestartCount"] > before

    wait_for(has_restarted)
    wait_until_healthy(running_stack, 60)
    assert httpx.get(f"{running_stack.output('portal_url')}/livez").status_code == 200
