"""The rules on resources: what each demands, and how strictly."""

from typing import Literal

from pydantic import Field

from infra.settings.groups import Group

PolicyLevel = Literal["mandatory", "advisory", "disabled"]
"""A broken mandatory rule stops the plan or the update; an advisory one is a warning."""


def _rule(description: str) -> PolicyLevel:
    """A rule that holds unless a stack says otherwise."""
    return Field(default="mandatory", description=description)


class PolicySettings(Group):
    """Rules on what the program asks for; `policy/rules.py` holds them."""

    not_privileged: PolicyLevel = _rule("no container is privileged or has a device of the host")
    no_docker_socket: PolicyLevel = _rule("no container can reach the engine's socket")
    no_host_namespaces: PolicyLevel = _rule("no container shares a namespace with the host")
    not_root: PolicyLevel = _rule("every container has a numeric user other than root")
    read_only_root: PolicyLevel = _rule("every container's root file system is read-only")
    no_capabilities: PolicyLevel = _rule("every container drops all capabilities and adds none")
    confined: PolicyLevel = _rule("no container gains privileges or lacks a security profile")
    limits: PolicyLevel = _rule("every container has limits of memory and processors, and no swap")
    health_check: PolicyLevel = _rule("every container but a job has a health check")
    restart_policy: PolicyLevel = _rule("every container but a job is started again")
    stop_grace: PolicyLevel = _rule("every container has time to stop when it is removed")
    log_rotation: PolicyLevel = _rule("every container's log is rotated")
    pinned_image: PolicyLevel = _rule("every container names its image by digest")
    labels: PolicyLevel = _rule(
        "containers, services, networks and volumes carry the stack and their role"
    )
    no_secret_in_environment: PolicyLevel = _rule("no secret is in an environment variable")
    loopback_only: PolicyLevel = _rule("in development ports are published on loopback alone")
    only_nginx_publishes: PolicyLevel = _rule(
        "in production nginx alone publishes ports; Prometheus on loopback"
    )
    no_development_tools: PolicyLevel = _rule("in production no development tool runs")
    protected_data: PolicyLevel = _rule("in production data volumes are protected")
