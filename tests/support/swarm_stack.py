"""A stack on a swarm, as tests ask it."""

from docker import DockerClient
from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import container_labels


class SwarmPortalStack(PortalStack):
    """Its containers are those that run on the stores' node: Swarm keeps some that have ended."""

    def containers(self, role: str | None = None) -> list[Container]:
        return list_tasks(self.client, self.name, role)

    def image_id(self, role: str) -> str:
        """As of every stack; the portal's is given, and its tasks may be on other nodes."""
        if role != "app":
            return super().image_id(role)
        return str(self.client.images.get(self.settings["app"]["image"]).id)


def list_tasks(client: DockerClient, stack: str, role: str | None = None) -> list[Container]:
    """The running containers of a stack's tasks on one node."""
    labels = container_labels(stack, role, of_tasks=True)
    return client.containers.list(filters={"label": labels}, ignore_removed=True)
