"""The summary of a plan, on recorded plans of the real program.

They are what `pulumi preview --json --refresh --policy-pack policy` prints when
PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true, less what no review reads.
"""

import json
from pathlib import Path

import pytest

from operations.differences import show
from operations.plan import Plan
from operations.review import render
from operations.topology import draw

PLANS = Path(__file__).parent / "plans"


def read(name: str) -> Plan:
    return Plan.read((PLANS / f"{name}.jsonl").read_text().splitlines())


@pytest.mark.parametrize("recorded", sorted(PLANS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_summary_of_a_recorded_plan_is_the_one_beside_it(recorded: Path) -> None:
    assert render(read(recorded.stem), "prod") == recorded.with_suffix(".md").read_text()


def test_same_before_and_after_is_no_change_in_whatever_order() -> None:
    before = read("privileged").before
    assert draw(before) == draw(reversed(before)) != ""
    unchanged = Plan(before=before, after=before[::-1])
    assert render(unchanged, "prod") == "## Stack `prod`: nothing changes\n"


def plan_update(old: str, new: str, *others: object, **details: object) -> Plan:
    """Of a container's user."""
    urn = "urn:pulumi:p::devportal::docker:index/container:Container::app"
    state = {"type": "docker:index/container:Container", "urn": urn}
    step = {
        "op": "update",
        "type": state["type"],
        "urn": urn,
        "old": {**state, "inputs": {"user": old}},
        "new": {**state, "inputs": {"user": new}},
        **details,
    }
    events = map(json.dumps, [{"resourcePreEvent": {"metadata": step}}, *others])
    return Plan.read(["not an event", "[]", *events])


def test_what_was_changed_by_hand_is_told_once_for_each_property() -> None:
    details = {"ports[0].ip": {}, "ports[1].ip": {}, "memory": {}}
    text = render(plan_update("1", "1", detailedDiff=details), "prod")
    assert "| updated | Container | `app` | `ports`, `memory` |" in text
    assert "    ports[0].ip: changed on the engine => as it was\n    memory: changed" in text


def test_values_cannot_leave_their_block_or_cell() -> None:
    finding = {"policyName": "r", "enforcementLevel": "advisory", "message": "d\na|b <img>\n"}
    text = render(plan_update("1", "````\n<img>", {"policyEvent": finding}), "prod")
    assert "| advisory | r | a\\|b &lt;img&gt; |" in text
    assert "`````text\nContainer app: updated\n    user: 1 => ````\n<img>\n`````" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (2.0, "2"),
        ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "(known after the update)"),
        ({"a": [{"4dabf18193072939515e22adb298388d": "x", "ciphertext": "y"}]}, "{a: [[secret]]}"),
    ],
)
def test_value_is_shown_in_a_line_without_its_secret(value: object, text: str) -> None:
    assert show(value) == text
