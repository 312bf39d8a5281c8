"""Ways to harm a development stack, each with what a refresh or a plan should then find."""

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import ROLE_LABEL
from tests.support.waiting import wait_for


def change_containers(stack: PortalStack) -> dict[str, str]:
    """Each container but PostgreSQL's in another way; what a refresh should find."""
    stack.container("adminer").remove(force=True)
    stack.container("redis-commander").stop(timeout=1)
    stack.container("app").update(mem_limit="400m", memswap_limit="400m")
    redis, api = stack.container("redis"), stack.client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{redis.id}/update"
    api.post(url, json={"PidsLimit": 999}).raise_for_status()
    write_secret_file(stack, "postgres", "postgres_password", "changed")
    return {
        "adminer": "delete",
        "adminer-readiness": "delete",
        "redis-commander-readiness": "update",
        "app": "update",
        "redis-readiness": "update",
        "postgres-files": "update",
    }


def write_secret_file(stack: PortalStack, role: str, name: str, text: str) -> None:
    """Write over one of a container's secret files, as nothing of the program would."""
    stack.client.containers.run(
        # An image that declares no volume: `remove` would leave it behind.
        stack.image_id("app"),
        ["sh", "-c", 'printf %s "$1" > "/files/$0"', name, text],
        entrypoint="",
        user="0:0",
        remove=True,
        volumes={f"devportal-{stack.name}-{role}-secrets": {"bind": "/files"}},
    )


def remove_all_but_data(stack: PortalStack) -> dict[str, str]:
    """Containers, network, an image and a volume of secrets; what a refresh should find."""
    image, containers = stack.image_id("adminer"), stack.containers()
    roles = [str(container.labels[ROLE_LABEL]) for container in containers]
    for container in containers:
        container.remove(force=True)
    stack.client.networks.get(stack.output("network")).remove()
    stack.client.volumes.get(f"devportal-{stack.name}-app-secrets").remove()
    stack.client.images.remove(image, force=True)
    others = ["devportal-network", "app-secrets", "app-files", "adminer-image"]
    gone = [*roles, *(f"{role}-readiness" for role in roles), *others]
    return dict.fromkeys(gone, "delete")


def pause_container(stack: PortalStack) -> tuple[str, str]:
    stack.container("adminer").pause()
    return "adminer", "paused"


def make_container_unhealthy(stack: PortalStack) -> tuple[str, str]:
    """Its health check fails until Redis reads its users again."""
    password = stack.run_in("redis-commander", "cat", "/run/secrets/redis_password")
    login = ("--user", "devtools", "--pass", password, "--no-auth-warning")
    stack.run_in("redis", "redis-cli", *login, "acl", "setuser", "health", "off")
    wait_for(lambda: health(stack, "redis") == "unhealthy")
    return "redis", "unhealthy"


def health(stack: PortalStack, role: str) -> str:
    return stack.container(role).attrs["State"]["Health"]["Status"]
