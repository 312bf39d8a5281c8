"""The commands of the docs for a pipeline, as they stand there, against a portal."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import flask
import pytest
import yaml

from infra.resources.build_context import ROOT
from tests.support.api_documents import TEXT, Json, answering, document, shape
from tests.support.portal_client import Person, program
from tests.support.portal_process import Environment, serve
from tests.support.stand_ins import serve_app, serve_comments

_SECTION = (ROOT / "docs" / "portal.md").read_text().partition("## From a pipeline")[2]
_BLOCK = r"^```{}\n(.*?)^```"
_WORKFLOW = yaml.safe_load((ROOT / "docs" / "ci" / "publish-api.yml").read_text())
_BROKEN = """\
**Clients of the old version may break.** 1 breaking change at 1 place, 0 other changes at 0 places.

### Breaking changes

`POST /orders`
- `response 200 application/json .b`: 'b' is no longer returned
"""
_GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com")


def block(language: str) -> str:
    """The section's first one."""
    found = re.search(_BLOCK.format(language), _SECTION, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def step(job: str, name: str) -> dict[str, Any]:
    [found] = [one for one in _WORKFLOW["jobs"][job]["steps"] if one.get("name") == name]
    return found


def run(command: str, folder: Path, given: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euc", command],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "NO_PROXY": "*", **given},
        cwd=folder,
        capture_output=True,
        text=True,
    )


PUBLISHING = (block("sh"), step("publish", "Publish")["run"])


@pytest.fixture
def given(environment: Environment, paula: Person, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A portal and a key, as variables, for a pipeline whose component is that of the docs."""
    (tmp_path / "catalog-info.yaml").write_text(block("yaml"))
    key = program(paula, "catalogue:write").headers["Authorization"].removeprefix("Bearer ")
    with serve(environment) as (_, url):
        yield {"DEVPORTAL_URL": url, "DEVPORTAL_KEY": key}


@pytest.mark.parametrize("command", PUBLISHING, ids=["docs", "GitHub"])
def test_command_of_the_docs_publishes_a_component_and_its_api(
    command: str, given: dict[str, str], paula: Person, tmp_path: Path
) -> None:
    (tmp_path / "openapi.yaml").write_text(json.dumps(document()))
    given |= {"VERSION": "1.2.3", "GITHUB_REF_NAME": "v1.2.3"}
    # Again, as a pipeline may run twice.
    for _ in range(2):
        done = run(command, tmp_path, given)
        assert done.returncode == 0, done.stdout + done.stderr
    relations = paula.get("/entities/component/default/orders/relations").json()["outgoing"]
    assert ("provides", "orders-api") in [(r["type"], r["entity"]["name"]) for r in relations]
    versions = paula.get("/entities/api/default/orders-api/versions").json()["items"]
    assert [item["version"] for item in versions] == ["1.2.3"]


@pytest.mark.parametrize("command", PUBLISHING, ids=["docs", "GitHub"])
def test_component_that_is_refused_ends_the_command_before_its_api(
    command: str, tmp_path: Path
) -> None:
    """Of several transfers curl's exit code is that of the last one."""
    portal, asked = flask.Flask(__name__), list[str]()

    @portal.post("/api/v1/entities/import")
    def refuse() -> Any:
        asked.append("import")
        return "kind: should be known", 422

    @portal.put("/api/v1/entities/api/default/orders-api/versions/1.2.3")
    def take() -> Any:
        asked.append("version")
        return "", 201

    for name in ("catalog-info.yaml", "openapi.yaml"):
        (tmp_path / name).touch()
    given = {"VERSION": "1.2.3", "GITHUB_REF_NAME": "v1.2.3", "DEVPORTAL_KEY": "key"}
    with serve_app(portal) as url:
        done = run(command, tmp_path, {**given, "DEVPORTAL_URL": url})
    assert (done.returncode, asked, done.stdout) == (22, ["import"], "kind: should be known")


def test_command_of_the_docs_makes_main_the_newest_document_or_ends_with_its_mistake(
    given: dict[str, str], paula: Person, tmp_path: Path
) -> None:
    [version] = re.findall("`VERSION='([^']*)'`", _SECTION)
    file = tmp_path / "openapi.yaml"
    for title in ("First", "Second"):
        file.write_text(json.dumps(document(info={"title": title, "version": "1"})))
        done = run(block("sh"), tmp_path, {**given, "VERSION": version})
        assert done.returncode == 0, done.stdout + done.stderr
    main = paula.get("/entities/api/default/orders-api/versions/main").json()
    assert main["info"]["title"] == "Second"
    file.write_text("{}")
    done = run(block("sh"), tmp_path, {**given, "VERSION": "2"})
    assert done.returncode == 22
    assert "openapi: should be 3.0.x or 3.1.x (got nothing)" in done.stdout


def test_pull_request_gets_one_comment_with_what_its_change_breaks(tmp_path: Path) -> None:
    def push(name: str, content: Json) -> None:
        """The merge of a pull request whose document is `content`."""
        (tmp_path / name).write_text(json.dumps(content))
        for words in (("add", name), ("commit", "--quiet", "--message", "x")):
            subprocess.run([*_GIT, *words], cwd=tmp_path, check=True)

    def comment() -> str:
        """What the workflow's steps leave of all comments."""
        for name in ("Compare", "Comment"):
            found = step("compare", name)
            told = {**given, "PYTHONPATH": found["env"]["PYTHONPATH"]}
            done = run(found["run"], tmp_path, {**told, "GITHUB_STEP_SUMMARY": "summary.md"})
            assert done.returncode == 0, done.stdout + done.stderr
        [written] = comments
        return written["body"]

    (tmp_path / ".devportal").symlink_to(ROOT)
    for name in ("app", "operations"):  # as the repository of a service may well have
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    comments: list[Json] = []
    with serve_comments(comments) as given:
        push("other.yaml", {})
        push("openapi.yaml", answering(shape(a=TEXT, b=TEXT)))
        head = "<!-- devportal:comparison -->\n## openapi.yaml\n"
        assert comment() == f"{head}The document is new.\n"
        push("openapi.yaml", answering(shape(a=TEXT)))
        assert comment() == f"{head}{_BROKEN}"
    assert (tmp_path / "summary.md").read_text().endswith(_BROKEN)
