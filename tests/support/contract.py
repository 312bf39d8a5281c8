"""The portal's OpenAPI document, held against the portal by schemathesis."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.resources.build_context import ROOT

WHOLE = ("--max-examples", "3")
"""Beside those of the document and the edges of every schema, which are tried anyway."""
SHORT = ("--max-examples", "1", "--phases", "examples,fuzzing")
"""The document's examples, and one more request for every operation."""

# Every check but one. `positive_data_acceptance` is off: JSON Schema cannot say that an owner has
# to be a team that exists, a password none that many people use, or a YAML text an entity.
_CHECKS = """
[checks]
positive_data_acceptance.enabled = false
# 428 is the answer to a change without If-Match (RFC 6585, section 3).
missing_required_header.expected-statuses = [401, 403, 404, 422, 428]

[auth]
# Who is nobody stays so.
auto-signup = false
"""


def hold_to_contract(
    url: str,
    document: Mapping[str, Any],
    folder: Path,
    *,
    headers: Mapping[str, str],
    effort: Sequence[str] = WHOLE,
) -> Mapping[str, set[int]]:
    """Try every operation of the document in every way; the statuses that each has answered.

    Parameters
    ----------
    folder
        An empty one, for settings and the report.
    headers
        What every request carries.
    effort
        `WHOLE` or `SHORT`.

    Raises
    ------
    AssertionError
        Raised with what schemathesis has found, and how to send it again.
    """
    settings, contract = folder / "schemathesis.toml", folder / "openapi.json"
    pairs = ", ".join(f"{name} = '{value}'" for name, value in headers.items())
    settings.write_text(f"headers = {{ {pairs} }}\n{_CHECKS}")
    contract.write_text(json.dumps(document))
    report = folder / "report.ndjson"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
            *("run", str(contract), "--url", url, "--seed", "5"),
            *(*effort, "--continue-on-failure"),
            *("--report-ndjson-path", str(report)),
        ],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return _statuses(report)


def _statuses(report: Path) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for interaction in recorder.get("interactions", {}).values():
            method, _, path = recorder["label"].partition(" ")
            # Also methods that a path has not, and whole stories, are tried.
            is_one = path.startswith("/") and interaction["request"]["method"] == method
            if is_one and (answer := interaction["response"]):
                found[recorder["label"]].add(answer["status_code"])
    return found
