"""Which rules each type of resource keeps, and why one breaks a rule."""

from collections.abc import Mapping

from infra.naming import CONTAINER, NETWORK, SERVICE, VOLUME
from infra.settings.policies import PolicySettings
from policy import rules
from policy.resource import Resource, Rule, as_container

_OF_CONTAINERS: tuple[Rule, ...] = tuple(
    getattr(rules, name) for name in PolicySettings.model_fields if name != "protected_data"
)
# A service has no word for what these ask about; docs/swarm.md.
_NOT_OF_SERVICES = {
    rules.not_privileged,
    rules.no_host_namespaces,
    rules.confined,
    rules.loopback_only,
}
RULES: Mapping[str, tuple[Rule, ...]] = {
    CONTAINER: _OF_CONTAINERS,
    SERVICE: tuple(rule for rule in _OF_CONTAINERS if rule not in _NOT_OF_SERVICES),
    NETWORK: (rules.labels,),
    VOLUME: (rules.labels, rules.protected_data),
}
"""The rules of each type of resource."""


def find_reason(rule: Rule, resource: Resource) -> str | None:
    """Why the resource breaks the rule: `container app-1: should ...`; None while it holds."""
    if rule not in RULES.get(resource.type, ()):
        return None
    reason = rule(as_container(resource) if resource.type == SERVICE else resource)
    kind = resource.type.rpartition(":")[2].lower()
    return reason and f"{kind} {resource.name}: {reason}"
