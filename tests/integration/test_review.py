"""The plan before an update: rules that it breaks, and its summary for a pull request."""

import re

import pytest

from benchmarks.harness.portal_stack import PortalStack
from infra.settings.policies import PolicySettings
from tests.support.make import Done, edited, make

CREATED = "    container = docker.Container(name, spec, opts)\n"
UNSAFE = """\
    spec.privileged, spec.network_mode, spec.user, spec.read_only = True, "host", None, False
    spec.volumes = [docker.ContainerVolumeArgs(host_path="/run", container_path="/host-run")]
    spec.capabilities, spec.security_opts, spec.memory_swap = None, [], -1
    spec.image, spec.restart, spec.healthcheck = "nginx:latest", "no", None
    spec.destroy_grace_seconds, spec.log_opts, spec.labels = None, {}, []
    spec.envs = ["REDIS_PASSWORD=x"]
    for port in spec.ports:
        port.ip = "0.0.0.0"
"""
EXPOSED = """\
    spec.publish_all_ports = True
    spec.labels = [
        docker.ContainerLabelArgs(label="devportal.stack", value="any"),
        docker.ContainerLabelArgs(label="devportal.role", value="adminer"),
    ]
"""
IN_PRODUCTION = {"only-nginx-publishes", "no-development-tools", "protected-data"}
IN_DEVELOPMENT = {name.replace("_", "-") for name in PolicySettings.model_fields} - IN_PRODUCTION


def preview_edited(stack: PortalStack, code: str, policies: dict[str, str]) -> Done:
    """The plan of a program that does more to each container; afterwards all is as it was."""
    settings, container = stack.settings, stack.project / "infra" / "resources" / "container.py"
    stack.settings = {**settings, "policies": policies}
    stack.configure()
    try:
        with edited(container, lambda text: text.replace(CREATED, code + CREATED)):
            return make(stack, "preview")
    finally:
        stack.settings = settings
        stack.configure()


@pytest.mark.parametrize(
    ("fixture", "code", "broken"),
    [
        ("running_stack", UNSAFE, IN_DEVELOPMENT),
        ("production_stack", EXPOSED, IN_PRODUCTION),
    ],
)
def test_preview_stops_with_each_rule_that_the_program_breaks(
    fixture: str, code: str, broken: set[str], request: pytest.FixtureRequest
) -> None:
    # Without what a test's stack switches off: its data may go with it.
    done = preview_edited(request.getfixturevalue(fixture), code, policies={})
    assert done.code != 0
    assert set(re.findall(r"\[mandatory\] +([a-z-]+) ", done.out)) == broken
    assert "Traceback" not in done.out + done.err


def test_advisory_rule_is_a_warning(running_stack: PortalStack) -> None:
    code = "    spec.privileged = True\n"
    done = preview_edited(running_stack, code, policies={"not_privileged": "advisory"})
    assert done.code == 0, done.out + done.err
    assert "container redis: should not be privileged (got privileged). Remove it." in done.out


def test_review_and_graph_of_a_new_stack_change_nothing(empty_stack: PortalStack) -> None:
    file = empty_stack.project / f"Pulumi.{empty_stack.name}.yaml"
    empty_stack.configure()
    empty_stack.pulumi("stack", "rm", "--yes", "--preserve-config")
    before = file.read_text()
    done = make(empty_stack, "review")
    assert done.code == 0, done.out + done.err
    assert re.match(rf"## Stack `{empty_stack.name}`: \d+ created\n", done.out)
    graph = make(empty_stack, "graph")
    assert graph.out.startswith("flowchart LR\n"), graph.out + graph.err
    assert (
        'redis["redis"] --- devportal-network{{devportal-network}} & redis-data[(redis-data)]\n'
    ) in graph.out
    assert file.read_text() == before
    assert make(empty_stack, "output").code != 0
    empty_stack.pulumi("stack", "select", "--create")
    empty_stack.configure()


def test_base_that_git_does_not_know_is_named(empty_stack: PortalStack) -> None:
    assert make(empty_stack, "review", BASE="no-such-branch").err.splitlines()[-2] == (
        "BASE: should be a revision that git knows (got 'no-such-branch'). Fetch it, or choose "
        "another."
    )
