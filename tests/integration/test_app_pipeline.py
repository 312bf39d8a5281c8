"""The commands of the docs for a pipeline, as they stand there, against a portal."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.resources.build_context import ROOT
from tests.support.api_documents import document
from tests.support.portal_client import Person, program
from tests.support.portal_process import Environment, serve

_SECTION = (ROOT / "docs" / "portal.md").read_text().partition("## From a pipeline")[2]
_BLOCK = r"^```{}\n(.*?)^```"
_WORKFLOW = yaml.safe_load((ROOT / "docs" / "ci" / "publish-api.yml").read_text())


def block(language: str) -> str:
    """The section's first one."""
    found = re.search(_BLOCK.format(language), _SECTION, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "command",
    [block("sh"), _WORKFLOW["jobs"]["publish"]["steps"][1]["run"]],
    ids=["docs", "GitHub"],
)
def test_command_of_the_docs_publishes_a_component_and_its_api(
    command: str, environment: Environment, paula: Person, tmp_path: Path
) -> None:
    (tmp_path / "catalog-info.yaml").write_text(block("yaml"))
    (tmp_path / "openapi.yaml").write_text(json.dumps(document()))
    key = program(paula, "catalogue:write").headers["Authorization"].removeprefix("Bearer ")
    with serve(environment) as (_, url):
        given = {"DEVPORTAL_URL": url, "DEVPORTAL_KEY": key, "NO_PROXY": "*"}
        given |= {"VERSION": "1.2.3", "GITHUB_REF_NAME": "v1.2.3"}
        # Again, as a pipeline may run twice.
        for _ in range(2):
            run = subprocess.run(
                ["bash", "-euc", command],
                env={"PATH": "/usr/bin:/bin", **given},
                cwd=tmp_path,
                capture_output=True,
                text=True,
            )
            assert run.returncode == 0, run.stdout + run.stderr
    relations = paula.get("/entities/component/default/orders/relations").json()["outgoing"]
    assert ("provides", "orders-api") in [(r["type"], r["entity"]["name"]) for r in relations]
    versions = paula.get("/entities/api/default/orders-api/versions").json()["items"]
    assert [item["version"] for item in versions] == ["1.2.3"]


def test_refused_upload_ends_the_command_with_its_reason(
    environment: Environment, paula: Person, tmp_path: Path
) -> None:
    (tmp_path / "catalog-info.yaml").write_text(block("yaml"))
    (tmp_path / "openapi.yaml").write_text("{}")
    key = program(paula, "catalogue:write").headers["Authorization"].removeprefix("Bearer ")
    with serve(environment) as (_, url):
        given = {"DEVPORTAL_URL": url, "DEVPORTAL_KEY": key, "VERSION": "2", "NO_PROXY": "*"}
        run = subprocess.run(
            ["bash", "-euc", block("sh")],
            env={"PATH": "/usr/bin:/bin", **given},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    assert run.returncode == 22
    assert "openapi: should be 3.0.x or 3.1.x (got nothing)" in run.stdout
