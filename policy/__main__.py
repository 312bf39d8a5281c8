"""The policy pack: Pulumi asks it about each resource of a plan and of an update."""

import sys
from functools import partial
from pathlib import Path

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

# Pulumi starts it in its own folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.settings import Environment
from infra.naming import PROJECT
from infra.settings.policies import PolicySettings
from policy.pack import RULES, find_reason
from policy.resource import Resource, Rule


def main() -> None:
    """Serve the rules, each at the level that the stack's settings give it."""
    config = pulumi.Config(PROJECT)
    try:
        environment = Environment(config.require("environment"))
        levels = PolicySettings.model_validate(config.get_object("policies") or {})
    except (ValueError, pulumi.ConfigMissingError):
        # The program names every mistake in the settings; nothing passes it.
        PolicyPack(PROJECT, [])
        return
    rules = dict.fromkeys(rule for rules in RULES.values() for rule in rules)
    PolicyPack(PROJECT, [_policy(rule, environment, levels) for rule in rules])


def _policy(
    rule: Rule, environment: Environment, levels: PolicySettings
) -> ResourceValidationPolicy:
    name = rule.__name__
    return ResourceValidationPolicy(
        name=name.replace("_", "-"),
        description=f"{PolicySettings.model_fields[name].description}.",
        enforcement_level=EnforcementLevel(getattr(levels, name)),
        validate=partial(_validate, rule, environment),
    )


def _validate(
    rule: Rule,
    environment: Environment,
    args: ResourceValidationArgs,
    report_violation: ReportViolation,
) -> None:
    resource = Resource(
        type=args.resource_type,
        name=args.name,
        inputs=args.props,
        protect=args.opts.protect,
        environment=environment,
    )
    try:
        reason = find_reason(rule, resource)
    except UnknownValueError:
        # The id of an image that is not built yet: the update asks again, when it is.
        return
    if reason:
        report_violation(reason, None)


main()
