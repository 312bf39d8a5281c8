"""The plan before an update: rules that it breaks, and its summary for a pull request."""

import re

import pytest

from benchmarks.harness.machine import labelled_stacks
from benchmarks.harness.portal_stack import PortalStack
from infra.settings.policies import PolicySettings
from tests.support.edits import edited
from tests.support.make import make, run

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
    stack: PortalStack = request.getfixturevalue(fixture)
    settings = stack.settings
    # Only its plan is asked for: the data of a test's stack may go with it.
    stack.settings = {key: value for key, value in settings.items() if key != "policies"}
    stack.configure()
    container = stack.project / "infra" / "resources" / "container.py"
    try:
        with edited(container, lambda text: text.replace(CREATED, code + CREATED)):
            done = make(stack, "preview")
    finally:
        stack.settings = settings
        stack.configure()
    assert done.code != 0
    assert set(re.findall(r"\[mandatory\] +([a-z-]+) ", done.out)) == broken
    assert "Traceback" not in done.out + done.err


def test_advisory_rule_is_a_warning(running_stack: PortalStack) -> None:
    settings = running_stack.settings
    running_stack.settings = {**settings, "policies": {"not_privileged": "advisory"}}
    running_stack.configure()
    container = running_stack.project / "infra" / "resources" / "container.py"
    code = "    spec.privileged = True\n"
    try:
        with edited(container, lambda text: text.replace(CREATED, code + CREATED)):
            done = make(running_stack, "preview")
    finally:
        running_stack.settings = settings
        running_stack.configure()
    assert done.code == 0, done.out + done.err
    assert "container redis: should not be privileged (got privileged). Remove it." in done.out


def test_review_of_a_new_stack_changes_nothing(empty_stack: PortalStack) -> None:
    file = empty_stack.project / f"Pulumi.{empty_stack.name}.yaml"
    empty_stack.configure()
    empty_stack.stack.workspace.remove_stack(empty_stack.name, preserve_config=True)
    before = file.read_text()
    done = make(empty_stack, "review")
    assert done.code == 0, done.out + done.err
    assert re.match(rf"## Stack `{empty_stack.name}`: \d+ created\n", done.out)
    assert file.read_text() == before
    assert make(empty_stack, "output").code != 0
    empty_stack.stack.workspace.create_stack(empty_stack.name)
    empty_stack.configure()


def test_review_against_a_revision_shows_what_differs_from_that_alone(
    empty_stack: PortalStack,
) -> None:
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "base")):
        assert run(empty_stack, *git, *words).code == 0
    empty_stack.configure(redis={"memory_mb": 600})
    done = make(empty_stack, "review", BASE="HEAD")
    assert done.code == 0, done.out + done.err
    assert done.out.startswith(f"## Stack `{empty_stack.name}`: 1 updated\n")
    assert "| updated | Container | `redis` | `memory`, `memoryReservation`, `memorySwap` |" in (
        done.out
    )
    assert [name for name in labelled_stacks(empty_stack.client) if "review-" in name] == []
    assert list(empty_stack.project.glob("Pulumi.review-*")) == []


def test_base_that_git_does_not_know_is_named(empty_stack: PortalStack) -> None:
    assert make(empty_stack, "review", BASE="no-such-branch").err.splitlines()[-2] == (
        "BASE: should be a revision that git knows (got 'no-such-branch'). Fetch it, or choose "
        "another."
    )
