"""`python -m app.openapi diff`: what it prints, and the exit code that a pipeline sees."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.openapi.__main__ import main
from app.openapi.diff import diff_documents, report
from app.openapi.diff.texts import MAX_MARKDOWN_CHARACTERS, to_markdown, to_text
from tests.support.api_documents import TEXT, document, named, operation, sending, shape

OLD = sending(named("Order"), schemas={"Order": shape(a=TEXT, b=TEXT)})
NEW = sending(named("Order"), schemas={"Order": shape(a=TEXT, c={**TEXT, "maxLength": 1})})
_COUNTS = "1 breaking change at 1 place, 1 other change at 1 place."
_NONE = "0 breaking changes at 0 places, 0 other changes at 0 places."
_NO_FILE = "should be a file to read (got: No such file or directory)"
_TWICE = "only one of OLD and NEW can be standard input (got - twice)"
_TEXT = f"""\
{_COUNTS}

Breaking
  schema Order
    .b: 'b' is no longer accepted [property-removed, at 1 place]

Not breaking
  schema Order
    .c: 'c' is new [property-added, at 1 place]
"""
_MARKDOWN = f"""\
**Clients of the old version may break.** {_COUNTS}

### Breaking changes

`schema Order`
- `.b`: 'b' is no longer accepted, at 1 place

### Other changes

`schema Order`
- `.c`: 'c' is new, at 1 place
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    contents = {"old.json": json.dumps(OLD), "new.yaml": json.dumps(NEW, indent=1), "bad": "[]"}
    contents["odd"] = json.dumps(sending({"required": 5}))
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "out", "error"),
    [
        ("old.json new.yaml", 1, _TEXT, ""),
        ("old.json - --format markdown", 1, _MARKDOWN, ""),
        ("old.json old.json", 0, f"{_NONE}\n", ""),
        ("old.json absent", 2, "", f"absent: {_NO_FILE}\n"),
        ("bad old.json", 2, "", "bad: the document should be an object\n"),
        ("old.json odd", 2, "", "odd: required: 5 is not of type 'array'\n"),
        ("- -", 2, "", f"{_TWICE}\n"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_command_prints_changes_and_its_exit_code_says_whether_clients_break(
    arguments: str,
    code: int,
    out: str,
    error: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = io.BytesIO(json.dumps(NEW).encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=given))
    assert main(["diff", *arguments.split()]) == code
    assert capsys.readouterr() == (out, error)


@pytest.mark.usefixtures("folder")
def test_json_of_the_command_is_the_whole_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "old.json", "new.yaml", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [found[side]["changes"] for side in ("breaking", "non_breaking")] == [1, 1]


def test_markdown_fits_a_comment_on_github_and_counts_what_it_leaves_out() -> None:
    old = document({f"/{number}": operation()["/orders"] for number in range(5000)})
    new = document({f"/new/{number}": operation()["/orders"] for number in range(5000)})
    text = to_markdown(report(diff_documents(old, new)))
    listed = text.count("- the path was removed")
    assert 1000 < listed < 5000
    assert len(text) <= MAX_MARKDOWN_CHARACTERS
    assert f"… and {5000 - listed:,} changes more, for which there is no room here." in text
    assert text.endswith("… and 5,000 changes more, for which there is no room here.")


def test_markdown_shows_text_of_a_document_as_text() -> None:
    old = document({"/a`b\n# c": operation()["/orders"]}, servers=[{"url": "<b>*x*</b>"}])
    text = to_markdown(report(diff_documents(old, document())))
    assert "`/a'b # c`" in text
    assert "\\<b\\>\\*x\\*\\</b\\> is no longer a server" in text


def test_text_of_a_document_is_one_line_of_a_terminal() -> None:
    old, new = document(), document({"/a\n::error::b\x1b[31m": operation()["/orders"]})
    text = to_text(report(diff_documents(old, new)))
    assert text.splitlines()[-2] == "  POST /a::error::b[31m"


def test_character_that_a_locale_lacks_is_no_breaking_change(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "more.json").write_text(json.dumps(document({"/→": operation()["/orders"]})))
    (folder / "less.json").write_text(json.dumps(document()))
    printed = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(printed, encoding="latin-1"))
    assert main(["diff", "less.json", "more.json"]) == 0
    sys.stdout.flush()
    assert b"POST /\\u2192\n" in printed.getvalue()


@pytest.mark.usefixtures("folder")
def test_mistake_that_no_rule_has_found_is_no_breaking_change(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_documents: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("app.openapi.__main__.diff_documents", fail)
    assert main(["diff", "old.json", "new.yaml"]) == 2
    said = "old.json, new.yaml: should be OpenAPI throughout (got RecursionError: too deep)\n"
    assert capsys.readouterr() == ("", said)
