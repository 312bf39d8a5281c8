"""docker.Image: inputs, defaults and diff, without an engine."""

from pathlib import Path
from typing import Any

import pytest

from plugins.docker.build.context import BuildContext
from plugins.docker.build.digest import context_digest
from plugins.docker.resource import CheckRequest, DiffRequest
from plugins.docker.resources.image import ImageResource
from plugins.docker.resources.image_inputs import default_platform
from plugins.docker.values import UNKNOWN


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program's folder with `app/Dockerfile` and a `Dockerfile` of its own."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(
    secret_paths: frozenset[str] = frozenset(), **inputs: Any
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    request = CheckRequest(name="shop", old_inputs=None, inputs=inputs, secret_paths=secret_paths)
    checked = ImageResource().check(request)
    return checked.inputs, [(failure.path, failure.reason) for failure in checked.failures]


def test_defaults_are_the_official_providers(project: Path) -> None:
    inputs, failures = check(imageName="shop", skipPush=True)
    assert failures == []
    assert inputs == {
        "imageName": "shop",
        "skipPush": True,
        "buildOnPreview": False,
        "build": {
            "context": ".",
            "dockerfile": "Dockerfile",
            "platform": default_platform(),
            "contextDigest": context_digest(BuildContext(project, project / "Dockerfile")),
        },
    }


def test_dockerfile_is_looked_for_in_the_context() -> None:
    inputs, _ = check(imageName="shop", skipPush=True, build={"context": "./app"})
    assert inputs["build"]["dockerfile"] == "app/Dockerfile"


def test_digest_that_comes_back_with_ignored_changes_is_counted_anew() -> None:
    old = {"context": "app", "contextDigest": "old"}
    inputs, failures = check(imageName="shop", skipPush=True, build=old)
    assert failures == []
    assert len(inputs["build"]["contextDigest"]) == 64


@pytest.mark.parametrize(
    "build", [UNKNOWN, {"context": UNKNOWN}, {"context": "app", "dockerfile": UNKNOWN}]
)
def test_unknown_paths_are_not_hashed(build: Any) -> None:
    inputs, failures = check(imageName=UNKNOWN, skipPush=True, build=build)
    assert failures == []
    assert inputs["build"] is UNKNOWN or "contextDigest" not in inputs["build"]


@pytest.mark.parametrize(
    ("inputs", "failures"),
    [
        ({}, [("imageName", "should be given")]),
        (
            {"imageName": "x", "skipPush": "perhaps", "build": {"contxt": "app", "args": []}},
            [
                ("skipPush", "should be true or false (got a string)"),
                ("build.contxt", "is not a property here. Did you mean context?"),
                ("build.args", "should be a map (got a list)"),
            ],
        ),
        (
            {"imageName": "Shop", "skipPush": True},
            [("imageName", "should be repository[:tag] in lower case (got 'Shop')")],
        ),
        (
            {"imageName": "shop:1"},
            [
                (
                    "imageName",
                    "should start with its registry to be pushed or to use cacheFrom "
                    "(got 'shop:1'). Write for example docker.io/me/shop:1, or set skipPush",
                )
            ],
        ),
        ({"imageName": "shop:1", "registry": {"server": "ghcr.io"}}, []),
        ({"imageName": "ghcr.io/me/shop:1"}, []),
        ({"imageName": "localhost:5000/shop:1"}, []),
        (
            {"imageName": "x", "skipPush": True, "build": {"builderVersion": "Builder3"}},
            [
                (
                    "build.builderVersion",
                    "should be BuilderBuildKit or BuilderV1 (got 'Builder3')",
                )
            ],
        ),
        (
            {"imageName": "x", "skipPush": True, "build": {"context": "nowhere"}},
            [("build.context", "should be a folder, seen from the project (got 'nowhere')")],
        ),
        (
            {"imageName": "x", "skipPush": True, "build": {"dockerfile": "Dockrfile"}},
            [("build.dockerfile", "should be a file, seen from the project (got 'Dockrfile')")],
        ),
    ],
)
def test_every_mistake_is_named_with_its_path(
    inputs: dict[str, Any], failures: list[tuple[str, str]]
) -> None:
    assert check(**inputs)[1] == failures


def test_dockerfile_given_as_seen_from_the_context_gets_a_hint(project: Path) -> None:
    (project / "app" / "Other").write_text("FROM scratch\n")
    build = {"context": "app", "dockerfile": "Other"}
    assert check(imageName="x", skipPush=True, build=build)[1] == [
        (
            "build.dockerfile",
            "should be a file, seen from the project (got 'Other'). Did you mean 'app/Other'?",
        )
    ]


def test_broken_dockerignore_is_named(project: Path) -> None:
    (project / "app" / ".dockerignore").write_text("a[\n")
    assert check(imageName="x", skipPush=True, build={"context": "app"})[1] == [
        (
            "build.context",
            f"{project}/app/.dockerignore:1: should be a path with wildcards (got 'a['). "
            "Correct the line.",
        )
    ]


REFUSED = (
    "should not be a secret: docker writes build arguments into the image's history. "
    "Use RUN --mount=type=secret with docker.RemoteImage's build.secrets"
)


@pytest.mark.parametrize(
    ("secret_path", "refused"),
    [
        ("build.args.TOKEN", ["build.args.TOKEN"]),
        ("build.args", ["build.args.PLAIN", "build.args.TOKEN"]),
        ("build", ["build.args.PLAIN", "build.args.TOKEN"]),
        ("build.args.HTTPS_PROXY", []),
        ("build.args.https_proxy", []),
        ("registry.password", []),
    ],
)
def test_secret_build_argument_is_refused_unless_docker_keeps_it_out_of_the_history(
    secret_path: str, refused: list[str]
) -> None:
    arguments = {"HTTPS_PROXY": "p", "https_proxy": "p", "PLAIN": "x", "TOKEN": "very secret"}
    _, failures = check(
        frozenset({secret_path}),
        imageName="x",
        skipPush=True,
        build={"context": "app", "args": arguments},
    )
    assert failures == [(path, REFUSED) for path in refused]


def diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    request = DiffRequest(id="shop", state={"__inputs": old}, old_inputs={}, inputs=new)
    result = ImageResource().diff(request)
    assert result.replaces == []
    return {path: (change.added, change.removed) for path, change in result.changes.items()}


UPDATED, ADDED, REMOVED = (False, False), (True, False), (False, True)
BASE = {
    "imageName": "shop",
    "registry": {"server": "a", "username": "u", "password": "p"},
    "build": {"context": ".", "contextDigest": "1", "args": {"A": "1"}},
}


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        ({}, {}),
        ({"imageName": "other"}, {"imageName": UPDATED}),
        ({"skipPush": True}, {"skipPush": ADDED}),
        ({"buildOnPreview": UNKNOWN}, {"buildOnPreview": ADDED}),
        ({"registry": {"server": "a", "username": "v", "password": "q"}}, {}),
        ({"registry": {"server": "b", "username": "u"}}, {"registry.server": UPDATED}),
        (
            {"build": {"context": ".", "contextDigest": "2", "args": {"B": "1"}}},
            {
                "build.args.A": REMOVED,
                "build.args.B": ADDED,
                "build.contextDigest": UPDATED,
            },
        ),
        ({"build": UNKNOWN}, {"build": UPDATED}),
    ],
)
def test_every_difference_is_a_rebuild_except_credentials(
    edit: dict[str, Any], changes: dict[str, tuple[bool, bool]]
) -> None:
    assert diff(BASE, BASE | edit) == changes


def test_state_without_inputs_of_the_last_build_falls_back_to_the_engines() -> None:
    request = DiffRequest(id="shop", state={}, old_inputs=BASE, inputs=BASE)
    assert ImageResource().diff(request).changes == {}
