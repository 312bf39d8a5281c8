"""What was done to a stack, the portal's versions on its engine, and the way back to one."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import ImageNotFound

from infra.errors import UserError
from infra.naming import ROLE_LABEL, STACK_LABEL, container_labels
from infra.settings.loading import find_value
from infra.settings.stack_file import read_values
from operations.containers import connect_engine
from operations.deployment import Deployment
from operations.stack import Stack
from operations.swarm import container_spec, list_services
from operations.terminal import print_table, show_time

_HEADING = ("STARTED", "WHAT", "RESULT", "CHANGED", "COMMIT", "COMMITTER", "SUBJECT")
_COMMIT_LETTERS = 10
_VERSION_LABEL = "org.opencontainers.image.version"
_SETTING = "devportal:app.image"
_ID_PREFIX = "sha256:"
_ID_LETTERS = 12


def print_history(stack: Stack, options: argparse.Namespace) -> None:
    """`make history`: the last runs that changed the stack or its state, newest first."""
    words = ("stack", "history", "--json", f"--page-size={options.count}")
    asked = stack.run_pulumi(*words)
    if asked.returncode:
        raise stack.lacks("a history", f"got: {asked.stderr.strip()}")
    print_table(_HEADING, *map(_describe_run, json.loads(asked.stdout)))


def _describe_run(run: Mapping[str, Any]) -> tuple[str, ...]:
    known = run.get("environment") or {}
    changes = run.get("resourceChanges") or {}
    counted = [f"{number} {what}" for what, number in sorted(changes.items()) if what != "same"]
    return (
        show_time(run["startTime"]),
        run["kind"],
        run["result"],
        ", ".join(counted) or "-",
        _commit(known),
        known.get("git.committer") or "-",
        (run.get("message") or "-").partition("\n")[0],
    )


def _commit(known: Mapping[str, str]) -> str:
    """The commit of the clone; with a `+` where files differed from it."""
    dirty = "+" if known.get("git.dirty") == "true" else ""
    return (known.get("git.head", "")[:_COMMIT_LETTERS] or "-") + dirty


@dataclass(frozen=True)
class Version:
    """An image of the portal that this stack has built; `state` is that of its containers."""

    id: str
    name: str
    built: str
    state: str

    @property
    def short_id(self) -> str:
        """The beginning of the image's id."""
        return self.id.removeprefix(_ID_PREFIX)[:_ID_LETTERS]

    def is_named(self, word: str) -> bool:
        """Whether a user's word means it: its name, or the beginning of its id."""
        given = word.removeprefix(_ID_PREFIX)
        return word == self.name or (len(given) >= 4 and self.short_id.startswith(given[:12]))

    def __str__(self) -> str:
        return f"{self.name} ({self.short_id})"


def print_versions(stack: Stack, options: argparse.Namespace) -> None:
    """`make versions`: the newest first."""
    rows = ((v.name, v.short_id, v.built, v.state) for v in list_versions(stack))
    print_table(("VERSION", "IMAGE", "BUILT", "STATE"), *rows)


def list_versions(stack: Stack) -> list[Version]:
    """What can be rolled back to, the newest first. Raises UserError when there is nothing."""
    client = connect_engine(stack)
    states = (_state_on_swarm if stack.is_on_swarm else _states_of_containers)(stack, client)
    labels = [f"{STACK_LABEL}={stack.name}", f"{ROLE_LABEL}=app"]
    found = [
        Version(
            id=str(image.id),
            name=image.labels.get(_VERSION_LABEL, "-"),
            built=show_time(image.attrs["Created"]),
            state=states.get(str(image.id), "-"),
        )
        for image in client.images.list(filters={"label": labels})
    ]
    if not found:
        raise stack.lacks("images of the portal")
    # Versions that differ in their label alone are of one time: the one in use counts as newer.
    return sorted(found, key=lambda version: (version.built, version.state != "-"), reverse=True)


def _states_of_containers(stack: Stack, client: DockerClient) -> dict[str, str]:
    """Of the images that the portal's containers have."""
    states: dict[str, str] = {}
    for container in client.containers.list(
        all=True, filters={"label": container_labels(stack.name, "app")}, ignore_removed=True
    ):
        image = container.attrs["Image"]
        running = container.status == "running" or states.get(image) == "runs"
        states[image] = "runs" if running else "failed"
    return states


def _state_on_swarm(stack: Stack, client: DockerClient) -> dict[str, str]:
    """Of the image of the portal's service: Swarm goes back to one that ran by itself."""
    [portal] = list_services(stack, ["app"])
    try:
        return {str(client.images.get(container_spec(portal)["Image"]).id): "runs"}
    except ImageNotFound:
        return {}


def rollback(stack: Stack, options: argparse.Namespace, deployment: Deployment) -> int:
    """`make rollback`: set the stack's `app.image`, and bring it up; pulumi's exit code.

    Where that fails, the stack's file is what it was before.
    """
    values = read_values(stack.root, stack.name)
    image = find_value(values, "app.image")
    _check_settings(stack, image, reloads=bool(find_value(values, "app.reload")))
    chosen = None if options.forward else choose(list_versions(stack), options.version, stack.name)
    if options.forward and not image:
        raise UserError(
            f"stack {stack.name}: should be rolled back (got no {_SETTING}). `{stack.up}` brings "
            "it up to date."
        )
    # Before the setting changes: another run that goes on would read it.
    with deployment.holding():
        code = _run_with_image(stack, chosen, deployment)
    if chosen and not code:
        print(
            f"rollback: stack {stack.name} runs {chosen}, until `make rollback "
            f"STACK={stack.name} ARGS=--forward` lets it run what the clone builds"
        )
    return code


def _run_with_image(stack: Stack, chosen: Version | None, deployment: Deployment) -> int:
    text = stack.file.read_bytes()
    code = 1
    try:
        change = ["set", "--path", _SETTING, chosen.id] if chosen else ["rm", "--path", _SETTING]
        stack.prepare_with_pulumi("config", *change)
        print(f"rollback: {stack.file.name}: {_SETTING} is {chosen or 'gone'}", flush=True)
        code = deployment.run("up")
    finally:
        if code:
            stack.file.write_bytes(text)
            print(f"rollback: {stack.file.name} is what it was before", flush=True)
    return code


def choose(versions: Sequence[Version], name: str, stack: str) -> Version:
    """The version of that name; without one, the newest that was built before the last to start.

    Raises UserError with all that there are.
    """
    last = next((place for place, version in enumerate(versions) if version.state != "-"), None)
    if name:
        found = [version for version in versions if version.is_named(name)]
        rule = "should name one version"
    else:
        found = list(versions[last + 1 :][:1]) if last is not None else []
        rule = "should be given where there is none before the one that runs"
    if len(found) == 1:
        return found[0]
    raise UserError(
        f"VERSION: {rule} of stack {stack} (got '{name}'). There are: "
        f"{', '.join(map(str, versions))}."
    )


def _check_settings(stack: Stack, image: object, *, reloads: bool) -> None:
    if reloads:
        raise UserError(
            f"stack {stack.name}: should run the code of its image to be rolled back (got "
            "devportal:app.reload). Check the version before out."
        )
    given = str(image or _ID_PREFIX)
    if not given.startswith(_ID_PREFIX):
        raise UserError(
            f"{_SETTING}: should be left to `make rollback` (got '{given}'). Set it to the image "
            f"that you want and run `make up STACK={stack.name}`."
        )
