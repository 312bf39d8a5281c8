"""What the jobs of pull requests run on, and that a review always says something."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from operations.development_tools import _quick_checkers
from toolchain.setup.atomic import write_file
from toolchain.setup.project import ROOT, Project

JOBS = yaml.safe_load((ROOT / ".github/workflows/preview.yml").read_text())["jobs"]


def runs(job: str, action: str, state: str, labels: list[str], changed: str, fork: bool) -> bool:
    """Whether GitHub would run the job for the event, by its `if`."""
    head = SimpleNamespace(repo=SimpleNamespace(full_name="fork" if fork else "own"))
    request = SimpleNamespace(state=state, head=head, labels=labels)
    event = SimpleNamespace(
        pull_request=request, action=action, label=SimpleNamespace(name=changed)
    )
    python = (
        JOBS[job]["if"]
        .replace("&&", "and")
        .replace("||", "or")
        .replace(".labels.*.name", ".labels")
    )
    github = SimpleNamespace(repository="own", event=event)
    return eval(python, {"github": github, "contains": lambda items, item: item in items})


@pytest.mark.parametrize(
    ("action", "state", "labels", "changed", "job"),
    [
        ("labeled", "open", ["preview"], "preview", "up"),
        ("synchronize", "open", ["preview"], "", "up"),
        ("reopened", "open", ["preview"], "", "up"),
        ("synchronize", "open", ["other"], "", ""),
        ("unlabeled", "open", [], "preview", "down"),
        ("unlabeled", "open", ["preview"], "other", "up"),
        ("closed", "closed", ["preview"], "", "down"),
        ("closed", "closed", [], "", ""),
        ("labeled", "closed", ["preview"], "preview", "down"),
        ("labeled", "closed", ["preview", "other"], "other", "down"),
        ("unlabeled", "closed", [], "preview", "down"),
    ],
)
def test_stack_of_a_pull_request_is_there_while_that_is_open_and_has_the_label(
    action: str, state: str, labels: list[str], changed: str, job: str
) -> None:
    event = (action, state, labels, changed)
    assert [name for name in JOBS if runs(name, *event, fork=False)] == [job] * bool(job)
    assert [name for name in JOBS if runs(name, *event, fork=True)] == []


def test_skipped_job_takes_no_place_in_the_queue() -> None:
    """As it would if the whole run had one: the next push would cancel a removal that waits."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/preview.yml").read_text())
    assert "concurrency" not in workflow
    up, down = (JOBS[name]["concurrency"] for name in ("up", "down"))
    assert up == down == {"group": "preview-${{ github.event.pull_request.number }}"}


@pytest.mark.parametrize(
    ("made", "comment"),
    [
        ("echo plan", "plan\n"),
        ("echo failed plan; exit 2", "failed plan\n"),
        ("exit 2", "**No plan**: the log of the job tells why.\n"),
    ],
)
def test_review_is_never_empty(made: str, comment: str, tmp_path: Path) -> None:
    """The comment of the last push would be gone, and nothing in its place."""
    write_file(tmp_path / "bin" / "make", f"#!/bin/sh\n{made}\n")
    (tmp_path / "bin" / "make").chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "BASE": "x"}
    environ["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary")
    done = subprocess.run([ROOT / ".ci/review.sh"], cwd=tmp_path, env=environ)
    [code] = re.findall(r"exit (\d)", made) or ["0"]
    assert done.returncode == int(code)
    assert (tmp_path / "review.md").read_text() == (tmp_path / "summary").read_text() == comment


def test_workflow_for_other_repositories_is_audited_like_our_own(tmp_path: Path) -> None:
    file = Path("docs/ci/publish-api.yml")
    title = "echo ${{ github.event.pull_request.title }}"
    write_file(tmp_path / file, (ROOT / file).read_text().replace("cat comparison.md", title))
    (tmp_path / ".github").symlink_to(ROOT / ".github")
    audit = _quick_checkers(Project(tmp_path), Path(sys.executable))["zizmor"]
    done = subprocess.run(audit, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode, done.stdout
    assert f"{file}:48" in done.stdout
