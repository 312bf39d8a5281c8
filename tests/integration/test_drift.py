"""The drift matrix: what is changed by hand, whether it is seen, and whether `make up` repairs it.

Changes that do not touch one another are made at once, so that one repair mends them all. By
default two such groups run; `DRIFT=all` runs every group.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import ROLE_LABEL, SPEC_LABEL, STACK_LABEL
from infra.resources.build_context import ROOT
from tests.support.harm import (
    in_volume,
    limit_processes,
    recreate_container,
    write_secret_file,
)
from tests.support.make import make, run

ALL = os.environ.get("DRIFT") == "all"
_CHANGED = re.compile(
    r"^ *[~+-]+ \S+: \((?:update|delete)\)\n(?:.*\n)??.*\[urn=\S*::(\S+)\]$", re.M
)
Act = Callable[[PortalStack], Any]


@dataclass(frozen=True)
class Drift:
    """One change by hand.

    Parameters
    ----------
    what
        As docs/operations.md calls it.
    shown
        Resources that `make drift` shows.
    told
        Part of what `make drift` or `make doctor` says, where no refresh shows it.
    mend
        The command that repairs it, where `make up` does not.
    """

    what: str
    inject: Act
    is_right: Act
    shown: set[str] = field(default_factory=set[str])
    told: str = ""
    mend: tuple[str, ...] = ()


def name_of(stack: PortalStack, role: str) -> str:
    return f"devportal-{stack.name}-{role}"


def docker(*words: str) -> Act:
    """Runs `docker`; the role of a container or network stands in braces."""

    def act(stack: PortalStack) -> None:
        named = [re.sub(r"\{(.+)\}", lambda m: name_of(stack, m[1]), word) for word in words]
        done = run(stack, "docker", *named)
        assert done.code == 0, done.err

    return act


def in_turn(*acts: Act) -> Act:
    def act(stack: PortalStack) -> None:
        for one in acts:
            one(stack)

    return act


def host(role: str, key: str, wanted: Any) -> Act:
    return lambda stack: stack.container(role).attrs["HostConfig"][key] == wanted


def networks(role: str, *wanted: str) -> Act:
    def check(stack: PortalStack) -> bool:
        found = {*stack.containers(role)[0].attrs["NetworkSettings"]["Networks"]}
        return found == {name_of(stack, name) for name in wanted}

    return check


def is_the_stacks_own(role: str) -> Act:
    """Not one that was made by hand, which has no limit."""
    return lambda stack: stack.container(role).attrs["HostConfig"]["Memory"] > 0


def has_file(role: str, path: str, mode: int, text: str) -> Act:
    """Checked where the container reads it."""

    def check(stack: PortalStack) -> bool:
        script = 'stat -c %a "$0" && cat "$0"'
        found = stack.run_in(role, "sh", "-c", script, path)
        return found.startswith(f"{mode:o}\n") and text in found

    return check


def image_name(stack: PortalStack) -> str:
    return f"{name_of(stack, 'adminer')}:latest"


def move_name(stack: PortalStack) -> None:
    stack.client.images.get(stack.image_id("redis")).tag(*image_name(stack).split(":"))


def has_its_image(stack: PortalStack) -> bool:
    found = stack.client.images.get(image_name(stack))
    return found.id == stack.image_id("adminer") and found.labels[ROLE_LABEL] == "adminer"


def make_stranger(stack: PortalStack) -> None:
    labels = {STACK_LABEL: stack.name, ROLE_LABEL: "by-hand", SPEC_LABEL: "by hand"}
    name, image = name_of(stack, "stranger"), stack.image_id("app")
    stack.client.containers.create(image, name=name, labels=labels)


def has_five(stack: PortalStack) -> bool:
    return len(stack.containers()) == 5


def ask(sql: str) -> Act:
    return lambda stack: stack.query(sql).strip()


ROLES = ("adminer", "app", "postgres", "redis", "redis-commander")
SECRET = "/run/secrets/postgres_password"
LOGIN = f"PGPASSWORD=$(cat {SECRET.replace('postgres', 'migrator')}) psql -U devportal_migrator"
RESET = ("psql", "ARGS=--user postgres", "CMD=ALTER SYSTEM RESET ALL")

CHANGED = [
    Drift(
        "a setting of PostgreSQL (`ALTER SYSTEM`)",
        ask("ALTER SYSTEM SET join_collapse_limit = 7"),
        lambda stack: (
            ask("select count(*) from pg_file_settings where name = 'join_collapse_limit'")(stack)
            == "0"
        ),
        told="(got ALTER SYSTEM of join_collapse_limit).",
        mend=RESET,
    ),
    Drift(
        "the password of a role of the database",
        ask("ALTER ROLE devportal_migrator PASSWORD 'another'"),
        lambda stack: stack.run_in(
            "postgres", "sh", "-c", f"{LOGIN} -h 127.0.0.1 -d devportal -c 'select 1'"
        ),
        told="(got others for devportal_migrator).",
        mend=("restart", "ROLE=postgres"),
    ),
    Drift(
        "owner or mode of a file of secrets",
        lambda stack: in_volume(stack, "postgres-secrets", "chmod 444 postgres_password"),
        has_file("postgres", SECRET, 0o400, ""),
        {"postgres-files"},
    ),
    Drift(
        "the name of a container",
        docker("rename", "{postgres}", "{postgres}-old"),
        lambda stack: stack.container("postgres").name == name_of(stack, "postgres"),
        {"postgres"},
    ),
    Drift(
        "memory",
        docker("update", "--memory=400m", "--memory-swap=400m", "{app}"),
        host("app", "Memory", 512 << 20),
        {"app"},
    ),
    Drift(
        "connected to another network",
        docker("network", "connect", "bridge", "{app}"),
        networks("app", "network"),
        {"app-readiness"},
    ),
    Drift(
        "processors",
        docker("update", "--cpus=0.3", "{adminer}"),
        host("adminer", "NanoCpus", 500_000_000),
        {"adminer"},
    ),
    Drift(
        "the name of an image given to another",
        move_name,
        has_its_image,
        told="should be the one that the stack has built (got another).",
    ),
    Drift(
        "the restart policy",
        docker("update", "--restart=no", "{redis}"),
        lambda stack: (
            stack.container("redis").attrs["HostConfig"]["RestartPolicy"]["Name"]
            == "unless-stopped"
        ),
        {"redis"},
    ),
    Drift(
        "the limit of processes",
        lambda stack: limit_processes(stack, "redis", 999),
        host("redis", "PidsLimit", 256),
        {"redis-readiness"},
    ),
    Drift(
        "a container made again by hand: its variables, ports, image, all of it",
        lambda stack: recreate_container(stack, "redis-commander", "--env=BY=HAND"),
        is_the_stacks_own("redis-commander"),
        {"redis-commander", "redis-commander-readiness"},
    ),
    Drift(
        "a container beside those of the stack, with its labels",
        make_stranger,
        has_five,
        told="stranger': should be in the stack's state (got: it is not).",
        mend=("docker", "rm", "--force", "{stranger}"),
    ),
]
REMOVED = [
    Drift(
        "a container removed",
        docker("rm", "--force", "{adminer}"),
        is_the_stacks_own("adminer"),
        {"adminer", "adminer-readiness"},
    ),
    Drift(
        "a container stopped, paused, or unhealthy",
        docker("stop", "--time=1", "{redis-commander}"),
        lambda stack: stack.container("redis-commander").status == "running",
        {"redis-commander-readiness"},
    ),
    Drift(
        "taken off its network",
        docker("network", "disconnect", "{network}", "{redis}"),
        networks("redis", "network"),
        # Its port is gone with it.
        {"redis", "redis-readiness"},
    ),
    Drift(
        "content of a file of secrets",
        lambda stack: write_secret_file(stack, "postgres", "postgres_password", "changed"),
        has_file("postgres", SECRET, 0o400, ""),
        {"postgres-files"},
    ),
]
NETWORK = [
    Drift(
        "a network made again by hand, with other options",
        in_turn(
            *(docker("network", "disconnect", "{network}", f"{{{role}}}") for role in ROLES),
            docker("network", "rm", "{network}"),
            lambda stack: stack.client.networks.create(
                name_of(stack, "network"), internal=True, labels={STACK_LABEL: stack.name}
            ),
            *(docker("network", "connect", "{network}", f"{{{role}}}") for role in ROLES),
        ),
        lambda stack: (
            all(networks(role, "network")(stack) for role in ROLES)
            and not stack.client.networks.get(stack.output("network")).attrs["Internal"]
        ),
        {"devportal-network", *ROLES, *(f"{role}-readiness" for role in ROLES)},
    )
]
PRODUCTION = [
    Drift(
        "a file of Nginx's configuration",
        lambda stack: in_volume(stack, "nginx-secrets", "echo '# by hand' >> live/site.conf"),
        lambda stack: (
            "# by hand" not in stack.run_in("nginx", "cat", "/etc/nginx/portal/live/site.conf")
        ),
        {"nginx-configuration"},
    ),
    Drift(
        "taken off its network",
        lambda stack: run(
            stack,
            *("docker", "network", "disconnect", name_of(stack, "data-network")),
            str(sorted(str(one.name) for one in stack.containers("app"))[0]),
        ),
        lambda stack: all(
            len(one.attrs["NetworkSettings"]["Networks"]) == 2 for one in stack.containers("app")
        ),
        {"app-1-readiness"},
    ),
]
GROUPS = {"changed": CHANGED, "removed": REMOVED, "network": NETWORK}
MORE = pytest.mark.skipif(not ALL, reason="runs with DRIFT=all")


def find_shown(stack: PortalStack) -> tuple[set[str], str]:
    """Resources that `make drift` shows, and all that it prints; its exit code says whether any."""
    done = make(stack, "drift")
    shown = {*_CHANGED.findall(done.out)}
    assert bool(done.code) == bool(shown or "\n    run  " in done.out), done.out + done.err
    return shown, done.out


def check_matrix(stack: PortalStack, drifts: list[Drift]) -> None:
    """Make all changes, see each shown or told, repair them, and find nothing any more."""
    for drift in drifts:
        drift.inject(stack)
    shown, said = find_shown(stack)
    assert {drift.what for drift in drifts if drift.told not in said} == set()
    assert shown == set[str]().union(*(drift.shown for drift in drifts))
    if told := {drift.told for drift in drifts if drift.told}:
        found = json.loads(make(stack, "doctor", ARGS="--json").out)["findings"]
        assert {text for text in told if all(text not in one["what"] for one in found)} == set()
    done = make(stack, "up")
    assert done.code == 0, done.out[-3000:] + done.err
    assert {drift.what for drift in drifts if not (drift.mend or drift.is_right(stack))} == set()
    for drift in (drift for drift in drifts if drift.mend):
        mend(stack, *drift.mend)
    assert {drift.what for drift in drifts if not drift.is_right(stack)} == set()
    shown, said = find_shown(stack)
    assert not shown, said


def mend(stack: PortalStack, first: str, *others: str) -> None:
    if first == "docker":
        docker(*others)(stack)
        return
    variables = dict(word.split("=", 1) for word in others)
    done = make(stack, first, **variables)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    "group",
    ["changed", "removed", *(pytest.param(one, marks=MORE) for one in ("network",))],
)
def test_drift_is_seen_and_repaired(running_stack: PortalStack, group: str) -> None:
    check_matrix(running_stack, GROUPS[group])


@MORE
def test_drift_of_production_is_seen_and_repaired(production_stack: PortalStack) -> None:
    check_matrix(production_stack, PRODUCTION)


@MORE
def test_container_of_others_under_a_name_of_the_stack_is_refused_with_the_command(
    running_stack: PortalStack,
) -> None:
    recreate_container(running_stack, "adminer", copy=False)
    before = {container.id for container in running_stack.containers()}
    done = make(running_stack, "up")
    name = name_of(running_stack, "adminer")
    assert done.code != 0
    assert (
        f"container '{name}': should be the stack's own (got another one of that name). Rename it, "
        f"or remove it with `docker rm --force --volumes {name}`, and run this again."
    ) in done.err
    assert {container.id for container in running_stack.containers()} == before
    mend(running_stack, "docker", "rm", "--force", name)
    assert make(running_stack, "up").code == 0


def test_documentation_has_a_row_for_each_drift_of_the_matrix() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = {line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if " | " in line}
    drifts = [drift for group in (*GROUPS.values(), PRODUCTION) for drift in group]
    assert {drift.what for drift in drifts} - rows == set()
