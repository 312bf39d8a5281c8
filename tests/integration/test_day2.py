"""What a team does to a running stack: look inside, run something, restart, keep others off."""

import itertools

import pytest

from benchmarks.harness.load import Load, Request
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import trust
from tests.support.make import make, succeed
from tests.support.restarts import wait_until_healthy


@pytest.mark.parametrize(
    ("target", "variables", "said"),
    [
        ("exec", {"CMD": "printf '%s|' \"a  b\" $((1+1)); exit 0"}, "a  b|2|"),
        ("exec", {"ROLE": "redis", "CMD": "cat /proc/1/comm"}, "docker-init\n"),
        ("shell", {"ROLE": "postgres"}, ""),
        ("psql", {"CMD": "\\echo :USER"}, "devportal_user\n"),
        ("psql", {"CMD": "\\echo :USER", "ARGS": "--user postgres"}, "postgres\n"),
        ("redis-cli", {"CMD": "ACL WHOAMI"}, "devtools\n"),
        (
            "run",
            {"CMD": "python -m app check; hostname"},
            "check: the environment is complete\nrun\n",
        ),
    ],
)
def test_command_has_the_words_of_the_user_and_the_rights_of_the_role(
    target: str, variables: dict[str, str], said: str, running_stack: PortalStack
) -> None:
    assert succeed(running_stack, target, **variables) == said
    label = [f"devportal.stack={running_stack.name}"]
    everything = running_stack.client.containers.list(all=True, filters={"label": label})
    assert len(everything) == len(running_stack.containers())


def test_password_is_that_of_the_container(running_stack: PortalStack) -> None:
    file = "/run/secrets/admin_password"
    log = running_stack.log.read_text()
    assert succeed(running_stack, "password") == running_stack.run_in("app", "cat", file) + "\n"
    # The log of a stack is searched for secrets, and this target prints one on purpose.
    running_stack.log.write_text(log)


def test_locked_stack_is_left_alone_until_it_is_unlocked(running_stack: PortalStack) -> None:
    succeed(running_stack, "lock", REASON='it\'s "the" $migration')
    for target in ("up", "down", "lock"):
        refused = make(running_stack, target, REASON="mine")
        assert refused.code != 0
        assert f"stack {running_stack.name}: should not be locked (got a lock by " in refused.err
        assert ': it\'s "the" $migration). Ask, or run `make unlock' in refused.err
    succeed(running_stack, "unlock")
    assert make(running_stack, "unlock").code != 0


def test_replicas_restart_under_load_without_a_lost_read(production_stack: PortalStack) -> None:
    before = {c.name: c.attrs["State"]["StartedAt"] for c in production_stack.containers("app")}
    port = production_stack.settings["ports"]["https"]
    # What may not be sent twice can meet a connection that the stopping replica has just closed.
    reads = Request("GET", "/livez", 200)
    with Load(
        port,
        trust(production_stack),
        requests=lambda _: itertools.repeat(reads),
        pause_seconds=0.02,
    ) as load:
        succeed(production_stack, "restart", ROLE="app")
        load.wait_for_goal()
    after = {c.name: c.attrs["State"]["StartedAt"] for c in production_stack.containers("app")}
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)
    assert load.failures == {}
    wait_until_healthy(production_stack, 60)


def test_production_has_its_own_logins(production_stack: PortalStack) -> None:
    assert succeed(production_stack, "redis-cli", CMD="ACL WHOAMI") == "devportal\n"
    code = "import os, app.config; print(bool(os.environ['MIGRATION_DATABASE_URL_FILE']))"
    said = succeed(production_stack, "run", ROLE="migrations", CMD=f'python -c "{code}"')
    assert said == "True\n"
