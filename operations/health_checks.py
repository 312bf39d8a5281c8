"""What `make doctor` looks for in a stack: its settings, its state, its data and its certificate.

It asks what `make up` would ask, and reads the state; no Pulumi program runs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from infra.engine.address import EngineAddress, connect, resolve_engine
from infra.errors import UserError
from infra.naming import ROLE_LABEL
from infra.preflight import look_for_room
from infra.services.nginx.live import CONFIGURATION_PATH
from infra.settings import Settings, TlsMode
from infra.settings.stack_file import find_mistakes, read_values
from infra.x509 import CertificateError, expires_at, is_due
from operations.containers import read_file
from operations.deploy_lock import refuse_if_locked
from operations.doctor import Examination, Finding
from operations.drift_checks import Observed, find_drift
from operations.inside import PASSWORD_FILES
from operations.interruption import read_latest
from operations.passphrase import check_passphrase
from operations.runs import Lock, describe_run, lock_files
from operations.stack import Stack

_REFUSED = "`make up` refuses to begin before that is right"
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


def examine(stack: Stack) -> Examination:
    """All that is looked at of a stack."""
    there = stack.file.exists() or stack.state is None or stack.state.exists()
    subject = f"stack {stack.name}" if there else f"stack {stack.name}, which is not there yet"
    return Examination(subject, lambda can_reach_engine: _find(stack, can_reach_engine))


def _find(stack: Stack, can_reach_engine: bool) -> Iterator[Finding]:
    yield from check_settings(stack)
    up = f"make up STACK={stack.name}"
    try:
        latest, locks = read_latest(stack), [*lock_files(stack).values()]
        yield from check_runs(stack, locks, latest)
        # What a run is at work on is neither old nor new.
        if can_reach_engine and not any(
            lock and lock.is_here and not lock.is_dead for lock in locks
        ):
            yield from _look_at_engine(stack, latest.get("resources") or [])
    except json.JSONDecodeError as error:
        what = f"{stack.state}: should be the JSON that Pulumi has written (got: {error})."
        why = "nothing can be done to the stack without; the copy is of the step before the last"
        yield Finding(what, why, f"cp {stack.state}.bak {stack.state} && {up}")
    except (UserError, DockerException) as error:
        why = "the stack is down, or nothing of it can be looked at"
        yield Finding(f"stack {stack.name}: {error}", why, up)


def check_settings(stack: Stack) -> Iterator[Finding]:
    """Mistakes in the stack's file, and a passphrase that is missing."""
    edit = f"${{EDITOR:-vi}} {stack.file.name} && make up STACK={stack.name}"
    for mistake in find_mistakes(stack.root, stack.name) if stack.file.exists() else ():
        yield Finding(mistake, _REFUSED, edit)
    try:
        if stack.file.exists() and stack.is_production:
            check_passphrase(stack)
    except UserError as error:
        file = stack.own_passphrase_file.relative_to(stack.root)
        write = f"(umask 077 && mkdir -p {file.parent} && cat > {file})"
        yield Finding(str(error), _REFUSED, write)


def check_runs(
    stack: Stack, locks: Sequence[Lock | None], latest: Mapping[str, Any]
) -> Iterator[Finding]:
    """Locks of other runs, and what a killed one has left unfinished."""
    up = f"make up STACK={stack.name}"
    for lock in locks:
        if lock is None or lock.is_dead:
            got = f"one of {lock}, which ended" if lock else "one that was never written whole"
            what = f"stack {stack.name}: no lock should be left (got {got})."
            yield Finding(what, "plain `pulumi` refuses to work until it is released", up)
        else:
            what = describe_run(stack, lock)
            end = f"ps -fp {lock.pid}" if lock.is_here else f"pulumi cancel --stack {stack.name}"
            yield Finding(what, "`make up` refuses until it has ended", end)
    if pending := latest.get("pending_operations"):
        names = ", ".join(map(_describe_operation, pending))
        what = f"stack {stack.name}: no operation should be unfinished (got {names})."
        yield Finding(what, "a run was killed; what it made may be in nobody's state", up)


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
        yield Finding(str(error), _REFUSED, f"make unlock STACK={stack.name}")
    settings = None
    if stack.file.exists():
        settings, _ = Settings.check(read_values(stack.root, stack.name), stack.name)
    if settings is not None:
        yield from check_room(stack, settings, address)
    is_near = address.host.startswith("unix://")
    observed = Observed.look(stack.name, client, resources, is_near=is_near)
    yield from find_drift(observed, settings.published_ports.values() if settings else ())
    by_role = {container.labels[ROLE_LABEL]: container for container in observed.containers}
    running = {role: one for role, one in by_role.items() if one.status == "running"}
    if server := running.get("postgres"):
        yield from check_passwords(stack, server)
    if service := running.get("backups"):
        yield from check_backups(stack, service)
    if settings is not None and (proxy := by_role.get("nginx")):
        is_provided = settings.tls.mode is not TlsMode.GENERATED
        yield from check_certificate(stack, proxy, is_provided=is_provided)


def check_room(stack: Stack, settings: Settings, address: EngineAddress) -> Iterator[Finding]:
    """What the engine would refuse of the settings, and what it may run short of."""
    room = look_for_room(settings, address)
    for mistake in room.mistakes:
        yield Finding(mistake, _REFUSED, _set_command(stack, mistake.partition(": ")[0]))
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
    return f"{change} && make up STACK={stack.name}"


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
    up = f"make up STACK={stack.name}"
    try:
        chain = read_file(proxy, path)
        end = expires_at(chain)
    except (NotFound, CertificateError) as error:
        yield Finding(f"{path}: {error}", "nginx does not start again with it", up)
        return
    limit = datetime.now(UTC) + timedelta(days=_PROVIDED_DAYS)
    if not (end < limit if is_provided else is_due(chain)):
        return
    given = f"pulumi config set --stack {stack.name} --secret --path devportal:secrets.tls_"
    renew = f"{given}certificate < chain.pem && {given}key < key.pem && {up}"
    yield Finding(
        f"certificate: should be valid for longer (got: until {end:%Y-%m-%d}).",
        "browsers refuse the portal from then on",
        renew if is_provided else up,
    )


def _output(container: Container, command: Sequence[str]) -> tuple[int, str]:
    code, output = container.exec_run(list(command))
    assert isinstance(output, bytes)
    return code or 0, output.decode(errors="replace")
