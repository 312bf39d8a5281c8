"""What README and docs promise: short, with links that lead somewhere and targets that exist."""

import re
from pathlib import Path

import pytest

from operations.plan import State
from operations.topology import draw
from tests.support.recording import load_stack_file, record_portal

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    dead: list[str] = []
    for target, anchor in _LINK.findall(page.read_text()):
        if target.startswith("http"):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            dead.append(f"{target}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_in_the_docs_exist(page: Path) -> None:
    [targets] = re.findall(
        r"^TARGETS = ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    existing = set(targets.replace("\\", "").split())
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named - existing == set()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_picture_of_a_stack_is_what_graph_draws(stack: str) -> None:
    registered = record_portal(load_stack_file(stack)).resources
    drawn = draw(State(one.type, one.name, one.inputs, one.protect) for one in registered)
    shown = f"<!-- make graph STACK={stack} -->\n```mermaid\n{drawn}\n```\n"
    assert shown in (ROOT / "README.md").read_text()
