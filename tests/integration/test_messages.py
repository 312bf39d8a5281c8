"""What a user reads after a mistake: the place, the rule, what to do, and no traceback."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from tests.support.make import Done, edited, make

NO_ENGINE = "tcp://127.0.0.1:9"


@pytest.fixture
def stack(empty_stack: PortalStack) -> Iterator[PortalStack]:
    """A stack whose settings and environment are again what they were after the test."""
    settings, environment = dict(empty_stack.settings), dict(empty_stack.environment)
    yield empty_stack
    empty_stack.settings, empty_stack.environment = settings, environment
    empty_stack.configure()


def running_first(command: str) -> Callable[[str], str]:
    """A Dockerfile whose build runs a command first."""
    return lambda given: re.sub("(?m)^(FROM .+)$", lambda line: f"{line[1]}\nRUN {command}", given)


def failing(stack: PortalStack, target: str, **variables: str) -> Done:
    done = make(stack, target, **variables)
    assert done.code != 0
    assert "Traceback" not in done.out + done.err
    return done


def failing_up(stack: PortalStack) -> str:
    before = stack.log.stat().st_size if stack.log.exists() else 0
    with pytest.raises(PulumiFailed):
        stack.up()
    text = stack.log.read_bytes()[before:].decode()
    assert "Traceback" not in text
    return text


def test_typo_in_a_setting_changes_nothing_with_plain_pulumi(stack: PortalStack) -> None:
    stack.configure(prots={"portal": 8000})
    text = failing_up(stack)
    assert "devportal:prots: should be a known key (got 'prots'). Did you mean 'ports'?" in text
    assert stack.containers() == []


def test_targets_ask_the_engine_of_the_stacks_settings(running_stack: PortalStack) -> None:
    """Its containers run on the local engine, which is not the one that is meant here."""
    settings = running_stack.project / f"Pulumi.{running_stack.name}.yaml"
    host = f'config: {{"docker:host": "{NO_ENGINE}", '
    with edited(settings, lambda given: given.replace("config: {", host)):
        for target in ("ps", "logs", "backups"):
            assert f"should answer at '{NO_ENGINE}'" in failing(running_stack, target).err
        assert NO_ENGINE in failing(running_stack, "doctor").out


def test_stopped_engine_is_named(stack: PortalStack) -> None:
    stack.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    text = failing_up(stack)
    doctor = failing(stack, "doctor")
    assert "should answer at 'unix:///nowhere/docker.sock'" in text
    assert "(got 'unix:///nowhere/docker.sock')" in doctor.out


def test_plan_that_changes_nothing_is_a_few_lines(running_stack: PortalStack) -> None:
    done = make(running_stack, "preview")
    assert done.code == 0
    assert " unchanged\n" in done.out
    assert len(done.out.splitlines()) < 10


def test_build_gets_dockers_proxy_and_no_image_keeps_it(
    running_stack: PortalStack, tmp_path: Path
) -> None:
    proxies = {"default": {"httpProxy": "http://proxy.invalid:3128"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    look = running_first("env | grep -q '^http_proxy=http:'")
    running_stack.environment["DOCKER_CONFIG"] = str(tmp_path)
    before = running_stack.image_id("redis")
    try:
        with edited(running_stack.project / "docker" / "redis" / "Dockerfile", look):
            running_stack.up()
        image = running_stack.client.images.get(running_stack.image_id("redis"))
        container = running_stack.container("redis")
        assert image.id != before
        kept = json.dumps([image.attrs, image.history(), container.attrs])
        assert "proxy.invalid" not in kept
    finally:
        del running_stack.environment["DOCKER_CONFIG"]


def test_dockerfile_that_does_not_build_shows_its_step_at_the_end(stack: PortalStack) -> None:
    break_it = running_first("echo this step breaks >&2; exit 3")
    with edited(stack.project / "docker" / "redis" / "Dockerfile", break_it):
        done = failing(stack, "up")
    shown = done.out[done.out.index("redis image: the build failed at ") :]
    assert "this step breaks" in shown
    assert f"Whole output: .build-logs/{stack.name}-redis.log" in shown
