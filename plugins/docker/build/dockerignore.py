"""Which files of a build context the builder gets: the rules of `.dockerignore`.

The rules are docker's (moby/patternmatcher): the last matching line decides, `!` takes a path
back, a line that matches a folder covers all below it, `*` stays inside one folder, `**` crosses
folders, and every line starts at the root of the context.
"""

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plugins.docker.errors import ResourceError

# Two stars and plain text, such as `**.pyc`: docker compares the end of the whole path.
_ANY_SUFFIX = re.compile(r"\*\*[^/*?\[\]\\][^*?\[\]\\]*")
_CLASS = re.compile(r"(?P<negation>\^?)(?P<members>[^]]+)\]")


class DockerignoreError(ResourceError):
    """A line of the file is no pattern; the message names the file and the line."""


@dataclass(frozen=True)
class Pattern:
    """One line: a cleaned path with wildcards, and whether it takes paths back."""

    path: str
    is_negated: bool

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(_regex_for(self.path), re.DOTALL)

    def matches(self, path: str) -> bool:
        """Whether the line names exactly this path."""
        return self._regex.fullmatch(path) is not None

    def may_match_below(self, folder: str) -> bool:
        """Whether the line can name a path inside the folder."""
        wanted, given = self.path.split("/"), folder.split("/")
        for index, segment in enumerate(wanted):
            # A backslash or a bracket may take the slash after it: the segments are not these then.
            if index == len(given) or "**" in segment or set(segment) & set("\\["):
                return True
            if not re.fullmatch(_regex_for(segment), given[index], re.DOTALL):
                return False
        return False


def parse(text: str, origin: str) -> list[Pattern]:
    """Patterns of a `.dockerignore` text, in order.

    Raises
    ------
    DockerignoreError
        Raised for a lone `!` and for an unfinished `[` or backslash.
    """
    patterns: list[Pattern] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        pattern = None if line.startswith("#") else _pattern(line.strip())
        if pattern is None:
            continue
        try:
            patterns.append(_checked(pattern))
        except re.error as error:
            raise DockerignoreError(
                f"{origin}:{number}: should be a path with wildcards (got '{line.strip()}'). "
                "Correct the line."
            ) from error
    return patterns


def read_patterns(context: Path, dockerfile: Path) -> list[Pattern]:
    """Patterns of `<Dockerfile>.dockerignore`, else of the context's `.dockerignore`, else none."""
    for path in (
        dockerfile.with_name(f"{dockerfile.name}.dockerignore"),
        context / ".dockerignore",
    ):
        if path.is_file():
            return parse(path.read_text(errors="surrogateescape"), str(path))
    return []


class IgnoreRules:
    """Answers for paths relative to the context, with `/` between folders.

    A caller walks from the top and hands each folder's verdicts to what is inside it, so a path
    costs one match per pattern however deep it lies.
    """

    def __init__(self, patterns: list[Pattern]) -> None:
        self._patterns = patterns
        self._negated = [pattern for pattern in patterns if pattern.is_negated]

    def verdicts(self, path: str, parent: tuple[bool, ...] = ()) -> tuple[bool, ...]:
        """For each pattern, whether it matches the path or a folder above it."""
        above = parent or (False,) * len(self._patterns)
        return tuple(
            inherited or pattern.matches(path)
            for pattern, inherited in zip(self._patterns, above, strict=True)
        )

    def is_ignored(self, verdicts: tuple[bool, ...]) -> bool:
        """Whether the last matching pattern leaves the path out."""
        for pattern, matched in zip(reversed(self._patterns), reversed(verdicts), strict=True):
            if matched:
                return not pattern.is_negated
        return False

    def may_admit_below(self, folder: str) -> bool:
        """Whether a path inside an ignored folder can be taken back."""
        return any(pattern.may_match_below(folder) for pattern in self._negated)


def _pattern(line: str) -> Pattern | None:
    if not line:
        return None
    is_negated = line.startswith("!")
    path = line[1:].strip() if is_negated else line
    if path:
        path = posixpath.normpath(path)
        path = path.lstrip("/") if len(path) > 1 else path
    # A line such as `/` or `.` names the root itself, which nothing below it equals.
    return Pattern(path, is_negated)


def _checked(pattern: Pattern) -> Pattern:
    if not pattern.path:
        raise re.error("nothing after the exclamation mark")
    pattern.matches("")
    return pattern


def _regex_for(path: str) -> str:
    if _ANY_SUFFIX.fullmatch(path):
        return ".*" + re.escape(path[2:])
    parts: list[str] = []
    rest = path
    while rest:
        part, rest = _next_part(rest)
        parts.append(part)
    return "".join(parts)


def _next_part(rest: str) -> tuple[str, str]:
    if rest.startswith("**"):
        rest = rest[2:].removeprefix("/")
        return ("(?:.*/)?" if rest else ".*"), rest
    head, tail = rest[0], rest[1:]
    if head == "*":
        return "[^/]*", tail
    if head == "?":
        return "[^/]", tail
    if head == "[":
        return _character_class(tail)
    if head == "\\":
        if not tail:
            raise re.error("nothing after the backslash")
        return re.escape(tail[0]), tail[1:]
    return re.escape(head), tail


def _character_class(tail: str) -> tuple[str, str]:
    found = _CLASS.match(tail)
    if found is None:
        raise re.error("unfinished character class")
    # Python's own set operators have no meaning in a file pattern.
    members = re.sub(r"([\[&~|])", r"\\\1", found["members"])
    return f"[{found['negation']}{members}]", tail[found.end() :]
