"""`.dockerignore` as docker reads it: which files of a small tree the builder gets."""

from pathlib import Path

import pytest

from plugins.docker.build.context import BuildContext
from plugins.docker.build.dockerignore import DockerignoreError, IgnoreRules, parse

TREE = (
    "Dockerfile",
    "README.md",
    "app/main.py",
    "app/main.pyc",
    "app/static/logo.svg",
    "app/static/raw/logo.psd",
    "docs/README.md",
    "docs/index.md",
    "tmp/a",
    "tmp/keep/b",
)


def admitted(ignore_text: str) -> set[str]:
    """Files of TREE that the rules admit, asked path by path from the top."""
    rules = IgnoreRules(parse(ignore_text, ".dockerignore"))
    result: set[str] = set()
    for path in TREE:
        verdicts: tuple[bool, ...] = ()
        parts = path.split("/")
        for depth in range(len(parts)):
            verdicts = rules.verdicts("/".join(parts[: depth + 1]), verdicts)
        if not rules.is_ignored(verdicts):
            result.add(path)
    return result


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", set()),
        ("# tmp\n\n", set()),
        ("tmp", {"tmp/a", "tmp/keep/b"}),
        ("/tmp/", {"tmp/a", "tmp/keep/b"}),
        ("./tmp/../tmp", {"tmp/a", "tmp/keep/b"}),
        ("  tmp  ", {"tmp/a", "tmp/keep/b"}),
        ("\ufefftmp", {"tmp/a", "tmp/keep/b"}),
        ("README.md", {"README.md"}),
        ("*.md", {"README.md"}),
        ("*/*.md", {"docs/README.md", "docs/index.md"}),
        ("**/*.md", {"README.md", "docs/README.md", "docs/index.md"}),
        ("**/README.md", {"README.md", "docs/README.md"}),
        ("**/raw", {"app/static/raw/logo.psd"}),
        ("app/**", {path for path in TREE if path.startswith("app/")}),
        ("app/**/logo.*", {"app/static/logo.svg", "app/static/raw/logo.psd"}),
        ("**.pyc", {"app/main.pyc"}),
        # As docker: two stars inside a path stand for whole folders.
        ("app/**.pyc", set()),
        ("app/*.py[co]", {"app/main.pyc"}),
        ("app/main.py[^c]", set()),
        ("app/main.py?", {"app/main.pyc"}),
        ("app/main.p\\y", {"app/main.py"}),
        ("app/main.py.", set()),
        ("static", set()),
        (".", set()),
        ("/", set()),
        ("*", set(TREE)),
        ("**", set(TREE)),
        ("*\n!app", {path for path in TREE if not path.startswith("app/")}),
        ("*\n! app/ ", {path for path in TREE if not path.startswith("app/")}),
        ("!app\n*", set(TREE)),
        ("tmp\n!tmp/keep", {"tmp/a"}),
        ("tmp\n!**/b", {"tmp/a"}),
        ("**/*.md\n!docs/*.md", {"README.md"}),
        ("**/*.md\n!docs\ndocs/index.md", {"README.md", "docs/index.md"}),
        ("docs\n#!docs/index.md", {"docs/README.md", "docs/index.md"}),
    ],
)
def test_last_matching_line_decides(text: str, left_out: set[str]) -> None:
    assert admitted(text) == set(TREE) - left_out


@pytest.mark.parametrize("line", ["!", "a[", "a\\"])
def test_line_that_is_no_pattern_is_named(line: str) -> None:
    with pytest.raises(DockerignoreError) as failure:
        parse(f"# first\n{line}\n", ".dockerignore")
    assert str(failure.value) == (
        f".dockerignore:2: should be a path with wildcards (got '{line}'). Correct the line."
    )


@pytest.mark.parametrize(
    ("negated", "folder", "may_match"),
    [
        ("app", "app", True),
        ("app/static/raw", "app", True),
        ("app/static/raw", "app/static", True),
        ("app/static/raw", "docs", False),
        ("a*/static", "app", True),
        ("a*/static", "docs", False),
        ("app", "app/static", False),
        ("**/b", "any/folder", True),
        ("docs/**/b", "docs/deep", True),
        ("docs/**/b", "app", False),
    ],
)
def test_ignored_folder_is_entered_only_for_what_may_come_back(
    negated: str, folder: str, may_match: bool
) -> None:
    rules = IgnoreRules(parse(f"*\n!{negated}", ".dockerignore"))
    # A folder that the line itself names is not ignored, so what lies below was never in question.
    assert rules.may_admit_below(folder) is (may_match and negated != folder)


def write_tree(root: Path, *names: str) -> BuildContext:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return BuildContext(root, root / "Dockerfile")


def names_of(context: BuildContext) -> list[str]:
    return [entry.name for entry in context.entries()]


def test_folders_come_before_their_content_in_order_of_names(tmp_path: Path) -> None:
    context = write_tree(tmp_path, "b/z", "b.txt", "B", "a/x/1", "Dockerfile")
    assert names_of(context) == ["B", "Dockerfile", "a", "a/x", "a/x/1", "b", "b/z", "b.txt"]


def test_way_to_a_path_that_was_taken_back_is_sent_too(tmp_path: Path) -> None:
    context = write_tree(tmp_path, "Dockerfile", "data/keep/me", "data/not/me", "other/file")
    (tmp_path / ".dockerignore").write_text("*\n!data/keep\n")
    assert names_of(context) == ["data", "data/keep", "data/keep/me"]


def test_ignored_folder_is_not_even_listed(tmp_path: Path) -> None:
    context = write_tree(tmp_path, "Dockerfile", "closed/file")
    (tmp_path / ".dockerignore").write_text("closed\n.dockerignore\n!app\n")
    (tmp_path / "closed" / "file").unlink()
    (tmp_path / "closed").rmdir()
    # A loop that any listing of it would report: links to folders are links, folders are listed.
    (tmp_path / "closed").symlink_to(tmp_path)
    assert names_of(context) == ["Dockerfile"]


def test_dockerfiles_own_ignore_file_wins(tmp_path: Path) -> None:
    context = write_tree(tmp_path, "Dockerfile", "a", "b")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Dockerfile.dockerignore").write_text("b\n*ignore\n")
    assert names_of(context) == ["Dockerfile", "a"]


def test_links_are_sent_as_links(tmp_path: Path) -> None:
    context = write_tree(tmp_path, "Dockerfile", "real/file")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").symlink_to("real")
    links = [entry.name for entry in context.entries() if entry.is_link]
    assert links == ["dangling", "folder"]
    assert "folder/file" not in names_of(context)
