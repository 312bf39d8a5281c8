"""Recorded plans of the real program: `pulumi preview --json` of it, less what no review reads.

`python -m tests.support.recorded_plans < EVENTS > tests/unit/operations/plans/NAME.jsonl`; EVENTS
is the output of `pulumi preview --json --refresh --policy-pack policy` with
PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

_READ_OF_ALL = (
    "destroyGraceSeconds",
    "healthcheck",
    "labels",
    "mounts",
    "name",
    "networksAdvanced",
    "ports",
    "wait_seconds",
)
_OPERATIONS = {"same", "create", "update", "replace", "delete"}
_ORDERING = {"delete-replaced", "create-replacement"}
_DRAWN = {"Container", "Network", "Volume", "Readiness"}
_READ_OF_A_STEP = ("op", "urn", "type", "diffs", "detailedDiff")
_READ_OF_A_STATE = ("type", "urn", "protect", "retainOnDelete")


def trim(lines: Iterable[str]) -> Iterator[str]:
    """The events that count, each with what counts of it."""
    for line in lines:
        event = json.loads(line)
        if prepared := event.get("resourcePreEvent"):
            if step := _trim_step(prepared["metadata"]):
                yield json.dumps({"resourcePreEvent": {"metadata": step}})
        elif "policyEvent" in event or event.get("diagnosticEvent", {}).get("severity") == "error":
            yield json.dumps(event)


def _trim_step(step: dict[str, Any]) -> dict[str, Any] | None:
    kind = step["type"].rpartition(":")[2]
    if step["op"] in _ORDERING:
        return {"op": step["op"], "urn": step["urn"]}
    if step["op"] not in _OPERATIONS or (step["op"] == "same" and kind not in _DRAWN):
        return None
    old, new = ((step[side] and step[side].get("inputs")) or {} for side in ("old", "new"))
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    # A dynamic provider's code says nothing.
    read = {*_READ_OF_ALL, *changed} - {"__provider"}
    states = {side: _trim_state(step[side], read) for side in ("old", "new")}
    return {key: step[key] for key in _READ_OF_A_STEP if key in step} | states


def _trim_state(state: dict[str, Any] | None, read: set[str]) -> dict[str, Any] | None:
    if state is None:
        return None
    inputs = {key: value for key, value in state.get("inputs", {}).items() if key in read}
    return {key: state[key] for key in _READ_OF_A_STATE if key in state} | {"inputs": inputs}


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in trim(sys.stdin))
