"""A container's own health check, run now."""

import time

import docker
from docker.errors import APIError
from docker.models.containers import Container

_POLL_SECONDS = 0.02
_NANO = 10**9


def is_healthy_now(client: docker.DockerClient, container: Container) -> bool:
    """Run the container's own health check now; one that takes longer than it may has failed.

    The engine's next probe may be 30 s away, and engines before 25, which know no start interval,
    make their first one only after a whole interval.
    """
    check = container.attrs["Config"]["Healthcheck"]
    _, *command = check["Test"]
    deadline = time.monotonic() + check["Timeout"] / _NANO
    try:
        probe = client.api.exec_create(str(container.id), command)["Id"]
        # Not `exec_run`, which waits for ever where a server that hangs has its check hang as well.
        client.api.exec_start(probe, detach=True)
        while (seen := client.api.exec_inspect(probe))["Running"]:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
    except APIError:
        # It has exited meanwhile, which the next look at it will tell.
        return False
    return seen["ExitCode"] == 0
