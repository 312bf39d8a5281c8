"""A plan as Markdown, for the reader of a pull request: what is lost, what stops, what changes."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from infra.naming import CONTAINER, SERVICE
from operations.differences import Difference
from operations.plan import Change, Plan
from operations.topology import draw

_EFFECTS = {
    "nginx": "nothing answers",
    "postgres": "the portal can neither read nor write",
    "redis": "signed-in users get errors; other pages go on",
    "app": "the portal does not answer",
}
_NO_EFFECT = "users notice nothing"
_ORDER = ("deleted", "replaced", "updated", "created")
_SHOWN_PROPERTIES = 6


def render(plan: Plan, stack: str) -> str:
    """The whole summary; what deletes data comes first."""
    parts = [
        *_warn(plan),
        f"## Stack `{stack}`: {_count(plan)}",
        *_errors(plan),
        *_findings(plan),
        *_downtime(plan),
        *_changes(plan),
        *_topology(plan),
        *_details(plan),
    ]
    return "\n\n".join(parts) + "\n"


def _count(plan: Plan) -> str:
    numbers = Counter(change.what for change in plan.changes)
    counted = [f"{numbers[what]} {what}" for what in reversed(_ORDER) if numbers[what]]
    return ", ".join(counted) or ("no plan" if plan.errors else "nothing changes")


def _warn(plan: Plan) -> Iterator[str]:
    lost = [change for change in plan.changes if _loses_data(change)]
    if not lost:
        return
    names = ", ".join(sorted(f"`{change.state.name}`" for change in lost))
    kept = all(change.old and change.old.retained for change in lost)
    fate = "the engine keeps them, and the stack goes on without" if kept else "with what they hold"
    yield (
        f"> [!CAUTION]\n> **Data loss**: these volumes are deleted or replaced, {fate}: {names}. "
        "Run `make backup` first."
    )


def _loses_data(change: Change) -> bool:
    old = change.old
    is_data = old is not None and old.kind == "Volume" and old.role.endswith("-data")
    return is_data and change.what in ("deleted", "replaced")


def _errors(plan: Plan) -> Iterator[str]:
    if plan.errors:
        text = "\n".join(plan.errors)
        yield f"**The plan failed**\n\n{_fenced(text)}"


def _findings(plan: Plan) -> Iterator[str]:
    if plan.findings:
        rows = [f"| {f.level} | {f.rule} | {_cell(f.reason)} |" for f in plan.findings]
        yield "\n".join(["### Rules", "", "| level | rule | finding |", "|---|---|---|", *rows])


def _downtime(plan: Plan) -> Iterator[str]:
    waits = {
        state.name.removesuffix("-readiness"): state.inputs.get("wait_seconds")
        for state in plan.after
        if state.kind in ("Readiness", "ServiceReadiness")
    }
    containers = [
        change
        for change in sorted(plan.changes, key=lambda change: change.state.name)
        if change.state.type in (CONTAINER, SERVICE) and not change.state.is_job
    ]
    rows = [
        f"| {change.state.name} | {_EFFECTS.get(change.state.role, _NO_EFFECT)} "
        f"| {_duration(change, waits.get(change.state.name))} |"
        for change in containers
        if change.interrupts or _stops_tasks(change)
    ]
    heading = ["### Downtime", "", "| container | meanwhile | how long |", "|---|---|---|"]
    if rows:
        yield "\n".join([*heading, *rows])
    elif containers:
        yield "### Downtime\n\nNone."


def _duration(change: Change, wait_seconds: float | None) -> str:
    if change.new is None:
        return "for good"
    assert change.old is not None
    grace = f"{change.old.inputs.get('destroyGraceSeconds') or 0:g} s"
    if change.old.task:
        grace = change.old.container.get("stopGracePeriod", grace)
    one_by_one = (
        ", one node after the other" if "global" in change.old.inputs.get("mode", {}) else ""
    )
    return (
        f"seconds: it stops (at most {grace}) and starts again"
        f" (at most {wait_seconds or 0:g} s, or the update fails){one_by_one}"
    )


def _stops_tasks(change: Change) -> bool:
    """Whether a service's tasks stop before those of its new description start."""
    update = change.state.inputs.get("updateConfig") or {}
    is_replacing = any(difference.top == "taskSpec" for difference in change.differences)
    return change.what == "updated" and is_replacing and update.get("order") == "stop-first"


def _changes(plan: Plan) -> Iterator[str]:
    if not plan.changes:
        return
    alike: dict[tuple[str, str, str], list[str]] = {}
    for change in sorted(plan.changes, key=lambda change: _ORDER.index(change.what)):
        key = (change.what, change.state.kind, _causes(change))
        alike.setdefault(key, []).append(f"`{change.state.name}`")
    rows = [
        f"| {what} | {kind} | {', '.join(sorted(names))} | {causes} |"
        for (what, kind, causes), names in alike.items()
    ]
    yield "\n".join(
        ["### Changes", "", "| | type | names | because of |", "|---|---|---|---|", *rows]
    )


def _causes(change: Change) -> str:
    if change.what in ("created", "deleted"):
        return ""
    shown = list(dict.fromkeys(difference.top for difference in _differences(change)))
    more = len(shown) - _SHOWN_PROPERTIES
    names = [f"`{name}`" for name in shown[:_SHOWN_PROPERTIES]]
    return ", ".join([*names, f"and {more} more"] if more > 0 else names)


def _differences(change: Change) -> Sequence[Difference]:
    """What differs; the label with the specification's hash only where nothing else does."""
    shown = [difference for difference in change.differences if difference.top != "labels"]
    return shown if shown and change.old else change.differences


def _topology(plan: Plan) -> Iterator[str]:
    before, after = draw(plan.before), draw(plan.after)
    if before == after:
        return
    for title, diagram in (("Before", before), ("After", after)):
        if diagram:
            yield f"### {title}\n\n{_fenced(diagram, 'mermaid')}"


def _details(plan: Plan) -> Iterator[str]:
    if plan.changes:
        ordered = sorted(plan.changes, key=lambda change: (change.state.kind, change.state.name))
        text = "\n".join(line for change in ordered for line in _lines(change))
        yield f"<details>\n<summary>All differences</summary>\n\n{_fenced(text)}\n\n</details>"


def _lines(change: Change) -> Iterable[str]:
    yield f"{change.state.kind} {change.state.name}: {change.what}"
    for difference in _differences(change):
        old = "" if change.old is None else f"{difference.old} => "
        yield f"    {difference.path}: {old}{difference.new}"


def _fenced(text: str, language: str = "text") -> str:
    """A block that no value in it can end."""
    fence = max(["```", *(f"{found}`" for found in re.findall("`{3,}", text))], key=len)
    return f"{fence}{language}\n{text}\n{fence}"


def _cell(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "\\|")
