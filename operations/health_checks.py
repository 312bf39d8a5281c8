"""What `make doctor` looks for in a stack: its settings, its state, its data and its certificate.

It asks what `make up` would ask, and reads the state; no Pulumi program runs. The end of
`make drift` is here as well: what was changed by hand and no refresh can show.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docker.errors import DockerException
from requests import RequestException

from infra.engine.address import EngineAddress, resolve_engine
from infra.engine.client import connect
from infra.errors import UserError
from infra.naming import ROLE_LABEL
from infra.preflight import look_for_room
from infra.settings import Settings, TlsMode
from infra.settings.external import ROLES_JOB
from infra.settings.stack_file import find_mistakes, read_values
from operations.containers import connect_engine
from operations.deploy_lock import refuse_if_locked
from operations.doctor import Finding, show_findings
from operations.drift_checks import Observed, check_image_names, check_strangers, find_drift
from operations.interruption import DamagedStateError, read_latest
from operations.passphrase import check_passphrase
from operations.runs import Lock, describe_run, lock_files
from operations.service_checks import (
    REFUSED,
    check_backups,
    check_certificate,
    check_database,
    check_external_database,
    check_monitoring,
    check_swarm,
)
from operations.stack import Stack

CHANGES_FOUND = 7
"""Pulumi's exit code for changes where none are expected."""


def describe(stack: Stack) -> str:
    """What is examined, for the line that is printed when nothing is found."""
    there = stack.file.exists() or not stack.is_missing
    return f"stack {stack.name}" if there else f"stack {stack.name}, which is not there yet"


def examine(stack: Stack, can_reach_engine: bool) -> Iterator[Finding]:
    """All that is wrong with a stack."""
    yield from check_settings(stack)
    try:
        latest, locks = read_latest(stack), [*lock_files(stack).values()]
        yield from check_runs(stack, locks, latest)
        # What a run is at work on is neither old nor new.
        if can_reach_engine and not any(
            lock and lock.is_here and not lock.is_dead for lock in locks
        ):
            yield from _look_at_engine(stack, latest.get("resources") or [])
    except DamagedStateError as error:
        why = "nothing can be done to the stack without"
        yield Finding(str(error), why, f"cp {stack.state}.bak {stack.state} && {stack.up}")
    except (UserError, DockerException, RequestException) as error:
        why = "the stack is down, or nothing of it can be looked at"
        yield Finding(f"stack {stack.name}: {error}", why, stack.up)


def check_settings(stack: Stack) -> Iterator[Finding]:
    """Mistakes in the stack's file, and a passphrase that is missing."""
    edit = f"${{EDITOR:-vi}} {stack.file.name} && {stack.up}"
    for mistake in find_mistakes(stack.root, stack.name) if stack.file.exists() else ():
        yield Finding(mistake, REFUSED, edit)
    try:
        if stack.file.exists() and stack.is_production:
            check_passphrase(stack)
    except UserError as error:
        file = stack.own_passphrase_file.relative_to(stack.root)
        write = f"(umask 077 && mkdir -p {file.parent} && cat > {file})"
        yield Finding(str(error), REFUSED, write)


def check_runs(
    stack: Stack, locks: Sequence[Lock | None], latest: Mapping[str, Any]
) -> Iterator[Finding]:
    """Locks of other runs, and what a killed one has left unfinished."""
    for lock in locks:
        if lock is None or lock.is_dead:
            got = f"one of {lock}, which ended" if lock else "one that was never written whole"
            what = f"stack {stack.name}: no lock should be left (got {got})."
            yield Finding(what, "plain `pulumi` refuses to work until it is released", stack.up)
        else:
            what = describe_run(stack, lock)
            end = f"ps -fp {lock.pid}" if lock.is_here else f"pulumi cancel --stack {stack.name}"
            yield Finding(what, "`make up` refuses until it has ended", end)
    if pending := latest.get("pending_operations"):
        names = ", ".join(map(_describe_operation, pending))
        what = f"stack {stack.name}: no operation should be unfinished (got {names})."
        yield Finding(what, "a run was killed; what it made may be in nobody's state", stack.up)


def _describe_operation(operation: dict[str, Any]) -> str:
    name = operation["resource"]["urn"].rpartition("::")[2]
    return f"{operation['type']} {name}"


def _look_at_engine(stack: Stack, resources: list[dict[str, Any]]) -> Iterator[Finding]:
    address = resolve_engine(stack.engine_settings, stack.environ)
    try:
        client = connect(address)
    except UserError:
        if not resources:
            return  # `make up` gets one
        raise
    try:
        refuse_if_locked(stack)
    except UserError as error:
        yield Finding(str(error), REFUSED, f"make unlock STACK={stack.name}")
    settings = None
    if stack.file.exists():
        settings, _ = Settings.check(read_values(stack.root, stack.name), stack.name)
    if settings is not None:
        yield from check_room(stack, settings, address)
    is_near = address.host.startswith("unix://")
    observed = Observed.look(stack, client, resources, is_near=is_near)
    if stack.is_on_swarm:
        yield from check_swarm(observed)
    yield from find_drift(observed, settings.published_ports.values() if settings else ())
    by_role = {container.labels[ROLE_LABEL]: container for container in observed.containers}
    running = {role: one for role, one in by_role.items() if one.status == "running"}
    if server := running.get("postgres"):
        yield from check_database(stack, server)
    if ROLES_JOB in by_role:
        yield from check_external_database(stack)
    if watch := running.get("prometheus"):
        yield from check_monitoring(stack, watch)
    if service := running.get("backups"):
        yield from check_backups(stack, service)
    if settings is not None and (proxy := by_role.get("nginx")):
        is_provided = settings.tls.mode is not TlsMode.GENERATED
        yield from check_certificate(stack, proxy, is_provided=is_provided)


def check_room(stack: Stack, settings: Settings, address: EngineAddress) -> Iterator[Finding]:
    """What the engine would refuse of the settings, and what it may run short of."""
    room = look_for_room(settings, address)
    for mistake in room.mistakes:
        yield Finding(mistake, REFUSED, _set_command(stack, mistake.partition(": ")[0]))
    for warning in room.warnings:
        if warning.startswith("disk"):
            why = "with a full disk nothing is built, and the stores stop writing"
            yield Finding(warning, why, "docker image prune")
        else:
            why = "the engine ends containers when memory is used up"
            yield Finding(warning, why, _set_command(stack, "devportal:app.memory_mb"))


def _set_command(stack: Stack, setting: str) -> str:
    """Sets another value; a port of 0 is one that is free."""
    is_port = setting.startswith("devportal:ports.") and not setting.endswith("bind_address")
    value = "0" if is_port else "VALUE"
    change = f"pulumi config set --stack {stack.name} --path {setting} {value}"
    return f"{change} && {stack.up}"


def end_drift(stack: Stack, code: int) -> int:
    """Add to what a refresh has shown; the exit code of both. Raises UserError without an engine.

    Parameters
    ----------
    code
        Pulumi's of the refresh.
    """
    unseen = [*find_unseen(stack)] if code in (0, CHANGES_FOUND) else []
    show_findings(unseen)
    if code == CHANGES_FOUND:
        print(f"drift: what differs was changed by hand or has failed; `{stack.up}` puts it back")
    return CHANGES_FOUND if unseen else code


def find_unseen(stack: Stack) -> Iterator[Finding]:
    """What was changed in the database, and what was put beside the stack's own."""
    client, resources = connect_engine(stack), read_latest(stack).get("resources") or []
    observed = Observed.look(stack, client, resources, is_near=False)
    yield from check_strangers(observed)
    yield from check_image_names(observed)
    for server in observed.containers:
        if server.labels[ROLE_LABEL] == "postgres" and server.status == "running":
            yield from check_database(stack, server)
