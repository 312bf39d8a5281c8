"""The workflows of pull requests: each job's steps out of its file, as a runner takes them."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import docker
import httpx
import pytest
import yaml

from benchmarks.harness.machine import labelled_stacks, remove_stack_objects, tool_environment
from infra.naming import container_labels
from infra.resources.build_context import ROOT
from tests.support.stand_ins import serve_comments

STACK = "pr-7"
_GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com")
_OF_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "ARGS", "BASE", "STACK")


class Runner:
    """A machine that keeps its engine, caches and states, with one workspace for all jobs.

    Parameters
    ----------
    api
        The variables that the services' API is known by.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], api: Mapping[str, str]) -> None:
        self.workspace = folder / "workspace"
        self.origin = folder / "origin"
        self.summary = folder / "summary.md"
        kept = {k: v for k, v in environ.items() if k not in _OF_MAKE and "PULUMI_" not in k}
        self.environ = {**kept, "CI": "true", "XDG_DATA_HOME": str(folder / "data")}
        self._api = api

    def run_on_github(self, workflow: str, job: str) -> None:
        """Run the job's steps in their order; each has to succeed. It has no secrets."""
        definition = self._read(f".github/workflows/{workflow}")["jobs"][job]
        own = {
            "RUNNER_NAME": "ours",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **{name: self._api[name] for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY")},
        }
        checkout, *steps = definition["steps"]
        assert checkout["uses"].startswith("actions/checkout@")
        self._check_out()
        for step in steps:
            given = definition.get("env", {}) | step.get("env", {})
            own |= {key: self._fill(text) for key, text in given.items()}
            self._run(step["run"], own)

    def run_on_gitlab(self, job: str, **variables: str) -> None:
        """Run the job's script as if the file of the docs were the project's."""
        definition = self._read("docs/ci/gitlab.yml")[job]
        own = {
            **variables,
            "GITLAB_CI": "true",
            "CI_RUNNER_DESCRIPTION": "ours",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            **{name: text for name, text in self._api.items() if name.startswith(("CI_", "RE"))},
        }
        given = {key: Template(str(text)) for key, text in definition["variables"].items()}
        own |= {key: text.substitute(own) for key, text in given.items()}
        self._check_out()
        for line in [*definition["script"], *definition.get("after_script", [])]:
            self._run(line, own)

    def _read(self, name: str) -> dict[str, Any]:
        return yaml.safe_load((self.origin / name).read_text())

    def _check_out(self) -> None:
        shutil.rmtree(self.workspace, ignore_errors=True)
        clone = ["git", "clone", "--quiet", str(self.origin), str(self.workspace)]
        subprocess.run(clone, check=True)

    def _run(self, script: str, own: Mapping[str, str]) -> None:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.workspace,
            env={**self.environ, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _fill(self, text: str) -> str:
        values = {
            "github.event.pull_request.number": self._api["PULL_REQUEST"],
            "github.token": self._api["GITHUB_TOKEN"],
            "github.base_ref": "main",
            "secrets.PULUMI_BACKEND_URL": "",
            "secrets.PULUMI_CONFIG_PASSPHRASE": "",
        }
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)


@pytest.fixture(scope="module")
def comments() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def runner(
    engine: docker.DockerClient,
    comments: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runner]:
    """With a repository whose branch `change` is checked out; `main` is this project as it is."""
    with serve_comments(comments) as api:
        runner = Runner(tmp_path_factory.mktemp("runner"), tool_environment(), api)
        copy_repository(runner.origin)
        yield runner
        remove_stack_objects(engine, STACK)


def copy_repository(target: Path) -> None:
    """This project with what is not committed yet as `main`, and the branch `change` on it."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    differences = subprocess.check_output(["git", "-C", str(ROOT), "diff", "--binary", "HEAD"])
    if differences:
        subprocess.run(["git", "-C", str(target), "apply"], input=differences, check=True)
    git(target, "checkout", "--quiet", "-B", "main")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--allow-empty", "--message=what is not committed")
    git(target, "checkout", "--quiet", "-B", "change")


def git(folder: Path, *words: str) -> None:
    subprocess.run([*_GIT, "-C", str(folder), *words], check=True)


def change(runner: Runner, name: str, before: str, after: str) -> None:
    """Push a commit that has one text in place of another."""
    file = runner.origin / name
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    git(runner.origin, "commit", "--quiet", "--all", "--message=change")


def test_plan_of_each_push_is_the_comment(
    runner: Runner, comments: list[dict[str, Any]], engine: docker.DockerClient, tmp_path: Path
) -> None:
    """Against the base branch; then, on GitLab, against a backend, which has no stack yet."""
    change(runner, "Pulumi.prod.yaml", "max_memory_mb: 256\n    memory_mb: 512", "memory_mb: 600")
    runner.run_on_github("review.yml", "review")
    [plan] = [entry["body"] for entry in comments]
    assert plan.startswith("<!-- devportal:review -->\n## Stack `prod`: 1 updated\n"), plan
    assert "| updated | Container | `redis` | `memory`, `memoryReservation`, `memorySwap` |" in plan
    assert plan.endswith(runner.summary.read_text())
    assert [name for name in labelled_stacks(engine) if "review-" in name] == []
    backend = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "of the repository",
    }
    runner.run_on_gitlab("review", **backend)
    [again] = [entry["body"] for entry in comments]
    assert re.match(r"<!-- devportal:review -->\n## Stack `prod`: \d+ created\n", again), again


def test_preview_environment_follows_the_pull_request_until_it_is_closed(
    runner: Runner, comments: list[dict[str, Any]], engine: docker.DockerClient
) -> None:
    """Whichever service runs the jobs, which are on one runner here."""
    titles: list[str] = []
    for job in (
        lambda: runner.run_on_github("preview.yml", "up"),
        lambda: runner.run_on_gitlab("preview"),
    ):
        job()
        [text] = [entry["body"] for entry in comments if "### Preview on ours" in entry["body"]]
        [url] = re.findall(r"^- portal_url: (.+)$", text, re.MULTILINE)
        titles.append(httpx.get(f"{url}/openapi.json").json()["info"]["title"])
        change(runner, "app/main.py", 'title="', 'title="Changed ')
    assert titles == ["Developer portal", "Changed Developer portal"]
    assert all(
        mount["Type"] != "bind"
        for container in engine.containers.list(filters={"label": container_labels(STACK)})
        for mount in container.attrs["Mounts"]
    )
    runner.run_on_github("preview.yml", "down")
    assert STACK not in labelled_stacks(engine)
    runner.run_on_gitlab("end-preview")
