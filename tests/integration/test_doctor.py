"""`make doctor` on a stack with many faults at once; what it says to run mends them."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import ROLE_LABEL, SPEC_LABEL, STACK_LABEL
from infra.x509 import make_authority, make_certificate
from tests.support.make import edited, make, run

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1


def findings(stack: PortalStack) -> list[tuple[str, str]]:
    """What doctor finds and the command for it; its exit code says whether there is anything."""
    done = make(stack, "doctor", ARGS="--json")
    found = json.loads(done.out)["findings"]
    assert bool(done.code) == bool(found), done.out + done.err
    assert all(finding["why"] for finding in found)
    return [(finding["what"], finding["command"]) for finding in found]


def harm_containers(stack: PortalStack) -> dict[str, str]:
    """Each in another way; a part of what is found, and the command."""
    up = f"make up STACK={stack.name}"
    paused, removed = sorted(stack.containers("app"), key=lambda one: str(one.name))
    nginx, server = stack.container("nginx"), stack.container("postgres")
    nginx.stop(timeout=30)
    paused.pause()
    removed.remove(force=True)
    run(stack, "docker", "update", "--restart=no", f"devportal-{stack.name}-redis")
    server.update(mem_limit="500m", memswap_limit="500m")
    [volume] = [mount["Name"] for mount in nginx.attrs["Mounts"]]
    ending = make_certificate(make_authority("any", ["a.example"]), ["a.example"], days=20)
    stack.client.containers.run(
        stack.image_id("redis"),
        ["sh", "-c", 'printf %s "$0" > /files/live/server.crt', ending.certificate],
        entrypoint="",
        user="0:0",
        remove=True,
        # Or the image's own volume would be left over, without a name.
        tmpfs={"/data": ""},
        volumes={volume: {"bind": "/files"}},
    )
    labels = {STACK_LABEL: stack.name, ROLE_LABEL: "app", SPEC_LABEL: "by hand"}
    stranger = f"devportal-{stack.name}-by-hand"
    stack.client.containers.create(stack.image_id("redis"), name=stranger, labels=labels)
    assert make(stack, "lock", REASON="a test").code == 0
    stack.query("ALTER ROLE devportal_migrator PASSWORD 'another'")
    stack.query("ALTER SYSTEM SET join_collapse_limit = 7")
    edge, backups = (f"devportal-{stack.name}-{name}" for name in ("edge-network", "backups"))
    stack.client.networks.get(edge).connect(backups)
    stack.run_in("backups", "sh", "-c", "echo 'no space left' > /backups/.failure")
    return {
        f"container '{nginx.name}': should be healthy (got: exited with code 0)": up,
        f"container '{paused.name}': should be healthy (got: paused).": up,
        f"container '{removed.name}', specification ": up,
        "redis': restart should be unless-stopped (got no).": up,
        f"container '{server.name}': memory should be 512 (got 500).": up,
        "certificate: should be valid for longer (got: until ": up,
        f"container '{stranger}': should be in the stack's state": (
            f"docker rm --force --volumes {stranger}"
        ),
        "(got others for devportal_migrator).": f"make restart ROLE=postgres STACK={stack.name}",
        "(got ALTER SYSTEM of join_collapse_limit).": (
            "make psql ARGS='--user postgres' CMD='ALTER SYSTEM RESET ALL' "
            f"STACK={stack.name} && make restart ROLE=postgres STACK={stack.name}"
        ),
        f"container '{backups}': should be healthy (got: on ": up,
        "should not be locked (got a lock by ": f"make unlock STACK={stack.name}",
        "backups: the last backup should be taken (got: no space left).": (
            f"make backup STACK={stack.name}"
        ),
    }


def leave_killed_run(stack: PortalStack) -> dict[str, str]:
    """The lock and the unfinished operation of a run that was killed."""
    folder = Path(stack.environment["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi"
    holder = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname()}
    lock = folder / "locks" / "organization" / "devportal" / stack.name / "left.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({**holder, "timestamp": "2026-01-01T00:00:00Z"}))
    state = folder / "stacks" / "devportal" / f"{stack.name}.json"
    document = json.loads(state.read_text())
    latest = document["checkpoint"]["latest"]
    [redis] = [one for one in latest["resources"] if one["urn"].endswith("Container::redis")]
    latest["pending_operations"] = [{"resource": {**redis, "id": ""}, "type": "creating"}]
    state.write_text(json.dumps(document))
    up = f"make up STACK={stack.name}"
    return {
        f"no lock should be left (got one of process {DEAD_PID} of ada": up,
        "no operation should be unfinished (got creating redis).": up,
    }


@contextmanager
def wrong_surroundings(stack: PortalStack) -> Iterator[dict[str, str]]:
    """A port that a process has, no passphrase, and settings that the machine is too small for."""
    setting = f"pulumi config set --stack {stack.name} --path devportal:"
    up = f"make up STACK={stack.name}"
    port = stack.settings["ports"]["https"]
    large = '"devportal:redis": {"cpus": 64, "memory_mb": 131072}, '
    file = stack.project / f"Pulumi.{stack.name}.yaml"
    passphrase = stack.environment.pop("PULUMI_CONFIG_PASSPHRASE")
    with ExitStack() as undo:
        undo.enter_context(socket.create_server(("127.0.0.1", port)))
        undo.enter_context(edited(file, lambda text: text.replace("{", "{" + large, 1)))
        undo.callback(stack.environment.update, PULUMI_CONFIG_PASSPHRASE=passphrase)
        yield {
            "production should have a passphrase of its own (got development's": (
                f"(umask 077 && mkdir -p .secrets && cat > .secrets/{stack.name}.passphrase)"
            ),
            "devportal:redis.cpus: should be at most ": f"{setting}redis.cpus VALUE && {up}",
            f"devportal:ports.https: should be free on 127.0.0.1 (got {port}": (
                f"{setting}ports.https 0 && {up}"
            ),
            "memory: should suffice for the limits": f"{setting}app.memory_mb VALUE && {up}",
        }


@contextmanager
def still(container: Container) -> Iterator[None]:
    """Its first process does nothing meanwhile."""
    process_id = container.attrs["State"]["Pid"]
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def test_each_of_eighteen_faults_is_found_with_the_command_that_mends_it(
    production_stack: PortalStack,
) -> None:
    stack = production_stack
    assert findings(stack) == []
    # Which would soon take the backup that is said to have failed.
    with still(stack.container("backups")):
        check_faults(stack)
    assert findings(stack) == []


def check_faults(stack: PortalStack) -> None:
    """Plant them, see each found, and mend them by what is said."""
    harm: list[Callable[[PortalStack], dict[str, str]]] = [harm_containers, leave_killed_run]
    planted = {text: command for plant in harm for text, command in plant(stack).items()}
    with wrong_surroundings(stack) as surroundings:
        found = findings(stack)
    expected = {**planted, **surroundings}
    missing = dict(expected)
    for what, command in found:
        [text] = [text for text in missing if text in what]
        assert missing.pop(text) == command
    assert missing == {}
    assert len(found) == 18
    # The stack as a whole comes last: for the others it does not have to be well.
    commands = sorted(set(planted.values()), key=lambda command: command.startswith("make up"))
    for command in commands:
        done = run(stack, "sh", "-c", command)
        assert done.code == 0, done.out + done.err
