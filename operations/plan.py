"""A plan, read from the events that `pulumi preview --json` prints one by one.

The events are those of Pulumi's API (https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#EngineEvent);
with them, other than in its summary, come the findings of a policy pack.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from infra.naming import ROLE_LABEL, find_label

STREAMING = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
"""Environment in which Pulumi prints events."""
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SECRET_KEY = "4dabf18193072939515e22adb298388d"
_OWN_INPUTS = {"__defaults", "__provider"}
"""Pulumi's, beside those of the program."""
_KINDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
_SUMMARY_OF_ERRORS = "preview failed"
_GOES_FIRST = "delete-replaced"
_COMES_LAST = "create-replacement"


@dataclass(frozen=True)
class State:
    """A resource as it is, or as it would be; `inputs` as the provider spells them."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    retained: bool

    @property
    def kind(self) -> str:
        """The last part of the type: `Container`."""
        return self.type.rpartition(":")[2]

    @property
    def is_job(self) -> bool:
        """Whether it is a container that ends, which is what none that is checked does."""
        return (self.inputs.get("healthcheck") or {}).get("tests") == ["NONE"]

    @property
    def role(self) -> str:
        """Its label; its logical name where it has none."""
        return find_label(self.inputs.get("labels"), ROLE_LABEL) or self.name


@dataclass(frozen=True)
class Difference:
    """One property: its path and both values as text."""

    path: str
    old: str
    new: str

    @property
    def top(self) -> str:
        """The property at the top: `ports` of `ports[0].ip`."""
        return self.path.partition(".")[0].partition("[")[0]


@dataclass(frozen=True)
class Change:
    """One resource that would be created, updated, replaced or deleted.

    Parameters
    ----------
    interrupts
        The old one goes before the new one comes.
    """

    what: str
    old: State | None
    new: State | None
    differences: tuple[Difference, ...]
    interrupts: bool

    @property
    def state(self) -> State:
        """What it would be; what it is, where it goes."""
        state = self.new or self.old
        assert state is not None
        return state


@dataclass(frozen=True)
class Finding:
    """A rule that the plan breaks."""

    rule: str
    level: str
    reason: str


@dataclass
class Plan:
    """What an update would do."""

    changes: list[Change] = field(default_factory=list)
    before: list[State] = field(default_factory=list)
    after: list[State] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, lines: Iterable[str]) -> Self:
        """Read the events, one in each line; what is not an event is passed over."""
        plan, gone_first, come = cls(), set[str](), set[str]()
        for event in filter(None, map(_parse, lines)):
            if found := event.get("policyEvent"):
                plan.findings.append(_finding(found))
            elif (said := event.get("diagnosticEvent")) and said["severity"] == "error":
                plan._add_error(said["message"].strip())
            elif prepared := event.get("resourcePreEvent"):
                step = prepared["metadata"]
                if step["op"] == _COMES_LAST:
                    come.add(step["urn"])
                elif step["op"] == _GOES_FIRST and step["urn"] not in come:
                    gone_first.add(step["urn"])
                plan._add(step, interrupts=step["urn"] in gone_first)
        return plan

    def _add_error(self, message: str) -> None:
        if message != _SUMMARY_OF_ERRORS:
            self.errors.append(message)

    def _add(self, step: Mapping[str, Any], *, interrupts: bool) -> None:
        operation = step["op"]
        if operation not in (*_KINDS, "same"):
            return
        old, new = _state(step["old"]), _state(step["new"])
        if operation == "delete":
            new, interrupts = None, True
        self.before += [old] if old else []
        self.after += [new] if new else []
        if operation != "same" and _is_real(step["type"]):
            differences = tuple(_differences(step, old, new))
            self.changes.append(Change(_KINDS[operation], old, new, differences, interrupts))


def _parse(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _finding(event: Mapping[str, Any]) -> Finding:
    # The rule's description stands before its reason.
    reason = event["message"].strip().splitlines()[-1]
    return Finding(event["policyName"], event["enforcementLevel"], reason)


def _is_real(type_: str) -> bool:
    """Whether it is a resource, and neither a component nor a provider."""
    return not type_.startswith(("pulumi:", "devportal:"))


def _state(given: Mapping[str, Any] | None) -> State | None:
    if given is None:
        return None
    name = given["urn"].rpartition("::")[2]
    retained = bool(given.get("protect") or given.get("retainOnDelete"))
    return State(given["type"], name, given.get("inputs") or {}, retained)


def _differences(
    step: Mapping[str, Any], old: State | None, new: State | None
) -> Iterator[Difference]:
    if new is None:
        return
    before = old.inputs if old else {}
    found = list(_compare("", before, new.inputs))
    yield from found
    # What was changed by hand differs from what is wanted, which is as it was.
    seen = set[str]()
    for path in () if found else step.get("detailedDiff") or ():
        changed = Difference(path, "changed on the engine", "as it was")
        if changed.top not in seen:
            seen.add(changed.top)
            yield changed


def _compare(path: str, old: Any, new: Any) -> Iterator[Difference]:
    """What differs, at the deepest path; of lists, which the provider sorts, their items."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and _SECRET_KEY not in old:
        for key in sorted({*old, *new} - _OWN_INPUTS):
            inner = f"{path}.{key}" if path else key
            yield from _compare(inner, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        gone = [item for item in old if item not in new]
        come = [item for item in new if item not in old]
        if gone or come:
            yield Difference(path, _show_items(gone), _show_items(come))
    elif old != new:
        yield Difference(path, show(old), show(new))


def _show_items(items: list[Any]) -> str:
    return ", ".join(map(show, items)) or "nothing"


def show(value: Any) -> str:
    """A value in a line, without a secret."""
    if value is None:
        return "nothing"
    if value == _UNKNOWN:
        return "(known after the update)"
    if isinstance(value, dict) and _SECRET_KEY in value:
        return "[secret]"
    if isinstance(value, dict):
        items = (f"{k}: {show(item)}" for k, item in value.items() if k != "__defaults")
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
