"""The summary of a plan, on recorded plans of the real program."""

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


def test_data_loss_is_the_first_line() -> None:
    assert render(read("volume"), "prod").startswith("> [!CAUTION]\n> **Data loss**: ")


def test_replicas_that_roll_are_no_downtime_and_a_store_is() -> None:
    version = render(read("version"), "prod")
    assert "| replaced | Container | `app-1`, `app-2` |" in version
    assert "### Downtime\n\nNone.\n" in version
    assert "| postgres | the portal can neither read nor write |" in render(
        read("postgres"), "prod"
    )


def test_order_of_events_does_not_change_the_picture() -> None:
    before = read("unchanged").before
    assert draw(before) == draw(reversed(before)) != ""


def test_values_cannot_leave_their_block_or_cell() -> None:
    urn = "urn:pulumi:p::devportal::docker:index/container:Container::app"
    state = {"type": "docker:index/container:Container", "urn": urn}
    step = {
        "op": "update",
        "type": state["type"],
        "urn": urn,
        "old": {**state, "inputs": {"user": "1"}},
        "new": {**state, "inputs": {"user": "````\n<img>"}},
    }
    finding = {"policyName": "r", "enforcementLevel": "advisory", "message": "d\na|b <img>\n"}
    events = [{"resourcePreEvent": {"metadata": step}}, {"policyEvent": finding}]
    text = render(Plan.read(["not an event", "[]", *map(json.dumps, events)]), "prod")
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
