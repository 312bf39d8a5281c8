"""What `make doctor` asks the services of a stack, and their swarm: their own word counts."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from infra.cluster.nodes import find_mistakes
from infra.engine.service_state import WantedService, observe_service
from infra.services.nginx.live import CONFIGURATION_PATH
from infra.settings.external import ROLES_JOB
from infra.x509 import CertificateError, expires_at, is_due
from operations.containers import read_file
from operations.doctor import Finding
from operations.drift_checks import Observed
from operations.one_off import running_like
from operations.stack import Stack
from operations.stores import PASSWORD_FILES

REFUSED = "`make up` refuses to begin before that is right"
_READINESS = "pulumi-python:dynamic/devportal:ServiceReadiness"
# A certificate from elsewhere is renewed by others, some of them three weeks before its end.
_PROVIDED_DAYS = 14
# The superuser has no password: the server knows it by its socket.
_ROLES = " ".join(f"{role}:{file}" for role, file in PASSWORD_FILES.items() if role != "postgres")
# What counts is what the server says: it may as well have no connection left.
_LOG_IN = f"""
for login in {_ROLES}; do
    PGPASSWORD=$(cat "/run/secrets/${{login#*:}}") psql --no-psqlrc --host=127.0.0.1 \\
        --username="${{login%:*}}" --dbname=devportal --command= 2>&1 |
        grep --quiet 'password authentication failed' && echo "${{login%:*}}"
done
exit 0
"""
# Beside what the image's files and the command line set; the stack sets nothing this way.
_SET_BY_HAND = """
select string_agg(distinct name, ', ' order by name) from pg_file_settings
where sourcefile like '%/postgresql.auto.conf'
"""
_DOWN, _RULES = "up == 0", "sum(prometheus_rule_group_rules) > 0"


def check_database(stack: Stack, server: Container) -> Iterator[Finding]:
    """What was changed in the database by hand: passwords of its roles, settings of the server."""
    yield from check_passwords(stack, server)
    query = ["psql", "--no-psqlrc", "--username=postgres", "--dbname=devportal", "-At"]
    code, names = _output(server, [*query, f"--command={_SET_BY_HAND}"])
    if not code and names.strip():
        what = (
            f"container '{server.name}': its data should set nothing beside the stack's settings "
            f"(got ALTER SYSTEM of {names.strip()})."
        )
        why = "no file of the stack says so, and a restored backup does not have it"
        reset = "make psql ARGS='--user postgres' CMD='ALTER SYSTEM RESET ALL'"
        restart = f"make restart ROLE=postgres STACK={stack.name}"
        yield Finding(what, why, f"{reset} STACK={stack.name} && {restart}")


def check_external_database(stack: Stack) -> Iterator[Finding]:
    """Whether a server of others lets the stack's roles in."""
    with running_like(stack, ROLES_JOB) as beside:
        code, said = _output(beside, ["prepare-database", "check"])
    if code:
        again = f"make run CMD=prepare-database ROLE={ROLES_JOB} STACK={stack.name}"
        yield Finding(said.strip(), "what logs in as that role is refused, or waits", again)


def check_monitoring(stack: Stack, server: Container) -> Iterator[Finding]:
    """Targets that do not answer Prometheus, and alert rules that it has not loaded."""
    query = ["promtool", "query", "instant", "http://127.0.0.1:9090"]
    (failed, rules), (_, down) = (_output(server, [*query, text]) for text in (_RULES, _DOWN))
    if failed:
        return  # its own health check says so
    look = f"make logs ROLE=prometheus STACK={stack.name}"
    if not rules.strip():
        what = f"container '{server.name}': should have loaded its alert rules (got none)."
        yield Finding(what, "no alert fires, whatever happens", look)
    for target in re.findall(r'instance="([^"]*)"', down):
        what = f"container '{server.name}': its target {target} should answer (got: it is down)."
        yield Finding(what, "what it measures is unknown, and its alerts do not fire", look)


def check_passwords(stack: Stack, server: Container) -> Iterator[Finding]:
    """Roles of the database whose passwords are not those in the stack's secrets."""
    refused = _output(server, ["sh", "-c", _LOG_IN])[1].split()
    if refused:
        what = (
            f"container '{server.name}': its data should have the passwords of the stack "
            f"(got others for {', '.join(refused)})."
        )
        why = "what connects with them is refused; the server sets them when it starts"
        yield Finding(what, why, f"make restart ROLE=postgres STACK={stack.name}")


def check_backups(stack: Stack, service: Container) -> Iterator[Finding]:
    """The last backup, and whether the last one tried could be restored, by its own check."""
    code, said = _output(service, ["backups", "health"])
    if code:
        why = "a loss of data now could not be made good"
        yield Finding(said.strip(), why, f"make backup STACK={stack.name}")


def check_certificate(stack: Stack, proxy: Container, *, is_provided: bool) -> Iterator[Finding]:
    """The certificate that nginx serves: one from elsewhere may end soon, ours is due earlier."""
    path = f"{CONFIGURATION_PATH}/live/server.crt"
    try:
        chain = read_file(proxy, path)
        end = expires_at(chain)
    except (NotFound, CertificateError) as error:
        yield Finding(f"{path}: {error}", "nginx does not start again with it", stack.up)
        return
    limit = datetime.now(UTC) + timedelta(days=_PROVIDED_DAYS)
    if not (end < limit if is_provided else is_due(chain)):
        return
    given = f"pulumi config set --stack {stack.name} --secret --path devportal:secrets.tls_"
    renew = f"{given}certificate < chain.pem && {given}key < key.pem && {stack.up}"
    yield Finding(
        f"certificate: should be valid for longer (got: until {end:%Y-%m-%d}).",
        "browsers refuse the portal from then on",
        renew if is_provided else stack.up,
    )


def check_swarm(observed: Observed) -> Iterator[Finding]:
    """What it lacks; without a majority of its managers there is nothing else to ask."""
    mistakes = [*find_mistakes(observed.client)]
    for mistake in mistakes:
        yield Finding(mistake, REFUSED, "docker node ls")
    try:
        yield from check_nodes(observed.client)
        yield from check_services(observed)
    except APIError:
        if not mistakes:
            raise


def check_nodes(client: DockerClient) -> Iterator[Finding]:
    """Nodes that are away, and managers without which one more may not go."""
    for node in client.api.nodes():
        name, status = node["Description"]["Hostname"], node["Status"]
        manager = node.get("ManagerStatus") or {}
        if status["State"] != "ready":
            why = "its tasks run on other nodes, and those that are bound to it do not run"
            yield _about(node, name, f"ready (got {status['State']})", why)
        elif manager and manager["Reachability"] != "reachable":
            why = "without a majority of its managers the swarm takes no command"
            yield _about(node, name, f"a reachable manager (got {manager['Reachability']})", why)
        elif node["Spec"]["Availability"] != "active":
            why = "no task is placed on it, so updates have less room"
            command = f"docker node update --availability active {node['ID']}"
            got = node["Spec"]["Availability"]
            yield Finding(f"node {name}: should be active (got {got}).", why, command)


def _about(node: dict[str, Any], name: str, rule: str, why: str) -> Finding:
    return Finding(f"node {name}: should be {rule}.", why, f"docker node inspect {node['ID']}")


def check_services(observed: Observed) -> Iterator[Finding]:
    """Services that are not what the last `make up` has left."""
    for item in observed.of(_READINESS):
        wanted = WantedService.from_properties(item["outputs"])
        state = observe_service(observed.client, wanted)
        if state != wanted.goal:
            what = f"service {wanted.name}: should be {wanted.goal} (got: {state})."
            why = "what it serves is not served, or only by some of its tasks"
            yield Finding(what, why, f"docker service ps --no-trunc {wanted.name}")


def _output(container: Container, command: Sequence[str]) -> tuple[int, str]:
    code, output = container.exec_run(list(command))
    assert isinstance(output, bytes)
    return code or 0, output.decode(errors="replace")
