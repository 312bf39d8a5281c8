"""A report as text for a terminal, and as Markdown for a pull request."""

from collections.abc import Iterable, Iterator

from app.lines import clean_line, counted
from app.openapi.diff.changes import Change
from app.openapi.diff.report import Group, Report, Side

MAX_MARKDOWN_CHARACTERS = 65_000
"""A comment on GitHub may have 65,536."""
_NOTE_CHARACTERS = 300
"""Room that is kept for saying what was left out."""


def to_text(report: Report) -> str:
    """Everything, one change a line."""
    breaking, others = report.breaking, report.non_breaking
    return "\n".join(
        [_counts(report), *_text("Breaking", breaking), *_text("Not breaking", others)]
    )


def _text(title: str, side: Side) -> Iterator[str]:
    if side.groups:
        yield f"\n{title}"
    for group in side.groups:
        yield clean_line(f"  {_title(group)}")
        for change in group.changes:
            where = f"{change.where}: " if change.where else ""
            said = f"    {where}{change.message} [{change.rule}{_places(group, change)}]"
            # A terminal or a pipeline obeys some lines, and a name may hold several.
            yield clean_line(said)


def to_markdown(report: Report) -> str:
    """Breaking changes first; what a comment has no room for is left out, and counted."""
    head = [f"**{_verdict(report)}** {_counts(report)}"]
    left = MAX_MARKDOWN_CHARACTERS - len(head[0]) - 2 * _NOTE_CHARACTERS
    breaking = _fill("### Breaking changes", report.breaking, left)
    left -= sum(len(line) + 1 for line in breaking)
    others = _fill("### Other changes", report.non_breaking, left)
    return "\n".join([*head, *breaking, *others])


def _verdict(report: Report) -> str:
    if not report.breaking.changes and not report.non_breaking.changes:
        return "No difference."
    if report.breaking.changes:
        return "Clients of the old version may break."
    return "Clients of the old version can use the new one."


def _counts(report: Report) -> str:
    return f"{_count(report.breaking, 'breaking')}, {_count(report.non_breaking, 'other')}."


def _count(side: Side, kind: str) -> str:
    return f"{counted(side.changes, f'{kind} change')} at {counted(side.places, 'place')}"


def _fill(title: str, side: Side, left: int) -> list[str]:
    if not side.changes:
        return []
    lines, shown = ["", title], 0
    left -= len(title) + 2
    for group in side.groups:
        heading = f"\n{_code(_title(group))}\n"
        for change in group.changes:
            line = f"{heading}{_item(group, change)}"
            left -= len(line) + 1
            if left < 0:
                return [*lines, *_left_out(side, shown)]
            lines.append(line)
            shown, heading = shown + 1, ""
    return [*lines, *_left_out(side, shown)]


def _left_out(side: Side, shown: int) -> Iterable[str]:
    if missing := side.changes - shown:
        yield f"\n… and {counted(missing, 'change')} more, for which there is no room here."


def _item(group: Group, change: Change) -> str:
    where = f"{_code(change.where.strip())}: " if change.where.strip() else ""
    return f"- {where}{_escape(change.message)}{_places(group, change)}"


def _title(group: Group) -> str:
    return f"schema {group.name}" if group.kind == "schema" else group.name


def _places(group: Group, change: Change) -> str:
    return f", at {counted(change.places, 'place')}" if group.kind == "schema" else ""


def _code(text: str) -> str:
    # Text of a document may hold backticks and line breaks; neither may end the code.
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _escape(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|~@!" else sign for sign in plain)
