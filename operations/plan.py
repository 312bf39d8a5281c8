"""A plan, read from the events that `pulumi preview --json` prints one by one.

The events are those of Pulumi's API (https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#EngineEvent);
with them, other than in its summary, come the findings of a policy pack.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from infra.naming import ROLE_LABEL, find_label
from operations.differences import Difference, compare

STREAMING = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
"""Environment in which Pulumi prints events."""
_KINDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
_SUMMARY_OF_ERRORS = "preview failed"
_GOES_FIRST = "delete-replaced"
_COMES_LAST = "create-replacement"


@dataclass(frozen=True)
class State:
    """A resource as it is, or as it would be; `inputs` as the provider spells them.

    Parameters
    ----------
    id
        Empty until it is there.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    retained: bool
    id: str = ""

    @property
    def kind(self) -> str:
        """The last part of the type: `Container`."""
        return self.type.rpartition(":")[2]

    @property
    def task(self) -> Mapping[str, Any]:
        """How a service runs its tasks; empty for anything else."""
        return self.inputs.get("taskSpec") or {}

    @property
    def container(self) -> Mapping[str, Any]:
        """What describes a container, or those of a service's tasks."""
        return self.task.get("containerSpec") or self.inputs

    @property
    def is_job(self) -> bool:
        """Whether it is a container that ends, which is what none that is checked does."""
        return (self.container.get("healthcheck") or {}).get("tests") == ["NONE"]

    @property
    def role(self) -> str:
        """Its label; its logical name where it has none."""
        return find_label(self.inputs.get("labels"), ROLE_LABEL) or self.name


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
                if (message := said["message"].strip()) != _SUMMARY_OF_ERRORS:
                    plan.errors.append(message)
            elif prepared := event.get("resourcePreEvent"):
                step = prepared["metadata"]
                if step["op"] == _COMES_LAST:
                    come.add(step["urn"])
                elif step["op"] == _GOES_FIRST and step["urn"] not in come:
                    gone_first.add(step["urn"])
                plan._add(step, interrupts=step["urn"] in gone_first)
        return plan

    def _add(self, step: Mapping[str, Any], *, interrupts: bool) -> None:
        operation = step["op"]
        if operation not in (*_KINDS, "same"):
            return
        old, new = _state(step["old"]), _state(step["new"])
        if old and new and operation != "replace":
            new = replace(new, id=old.id)
        if operation == "delete":
            new, interrupts = None, True
        self.before += [old] if old else []
        self.after += [new] if new else []
        if operation != "same" and _is_real(step["type"]):
            differences = tuple(_differences(step, old, new))
            self.changes.append(Change(_KINDS[operation], old, new, differences, interrupts))


@contextmanager
def telling_rules_last() -> Iterator[dict[str, str]]:
    """Print the rules that stopped what ran: Pulumi's own last line is `error: preview failed`.

    Gives the environment in which Pulumi logs its events, each flag of it a variable, and without
    which an older one logs none.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "events")
        yield {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_OPTION_EVENT_LOG": str(log)}
        plan = Plan.read(log.read_text(errors="replace").splitlines() if log.exists() else ())
    sys.stdout.flush()
    for reason in dict.fromkeys(f.reason for f in plan.findings if f.level == "mandatory"):
        print(reason, file=sys.stderr)


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
    return State(given["type"], name, given.get("inputs") or {}, retained, given.get("id") or "")


def _differences(
    step: Mapping[str, Any], old: State | None, new: State | None
) -> Iterator[Difference]:
    if new is None:
        return
    before = old.inputs if old else {}
    found = list(compare("", before, new.inputs))
    yield from found
    # What was changed by hand differs from what is wanted, which is as it was.
    seen = set[str]()
    for path in () if found else step.get("detailedDiff") or ():
        changed = Difference(path, "changed on the engine", "as it was")
        if changed.top not in seen:
            seen.add(changed.top)
            yield changed
