"""Ways to harm a development stack, each with what a refresh or a plan should then find."""

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import ROLE_LABEL
from tests.support.make import run
from tests.support.waiting import wait_for


def limit_processes(stack: PortalStack, role: str, limit: int) -> None:
    """As `docker update --pids-limit` does."""
    api = stack.client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{stack.container(role).id}/update"
    api.post(url, json={"PidsLimit": limit}).raise_for_status()


def in_volume(stack: PortalStack, volume: str, script: str, *words: str) -> None:
    """Run a shell script as root in a volume of the stack's, as nothing of the program would."""
    stack.client.containers.run(
        # An image that declares no volume: `remove` would leave it behind.
        stack.image_id("app"),
        ["sh", "-c", script, *words],
        entrypoint="",
        user="0:0",
        working_dir="/files",
        remove=True,
        volumes={f"devportal-{stack.name}-{volume}": {"bind": "/files"}},
    )


def write_secret_file(stack: PortalStack, role: str, name: str, text: str) -> None:
    """Write over one of a container's secret files."""
    in_volume(stack, f"{role}-secrets", 'printf %s "$1" > "$0"', name, text)


def recreate_container(stack: PortalStack, role: str, *options: str, copy: bool = True) -> None:
    """Make another container under a container's name, with its labels if it is a copy."""
    before = stack.container(role)
    labels = [f"--label={key}={text}" for key, text in before.labels.items()] if copy else []
    before.remove(force=True)
    words = [f"--name={before.name}", *labels, *options, str(before.attrs["Image"])]
    assert run(stack, "docker", "create", *words).code == 0


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
