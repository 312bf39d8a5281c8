"""Tracebacks a user sees: their own lines, whole."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from plugins.language.executor.tracebacks import describe

EXECUTOR = str(Path(__file__).parents[3] / "plugins" / "language" / "executor")


def traceback_of(work: Callable[[], object], executor: str = EXECUTOR) -> str:
    """Return what a user is shown when some work fails."""
    try:
        work()
    except Exception as error:
        return describe(error, executor)
    raise AssertionError("the work should have failed")


def program(folder: Path, source: str) -> Callable[[], object]:
    """Return the run of a program, as the executor runs it."""
    (folder / "__main__.py").write_text(dedent(source))
    return lambda: runpy.run_path(str(folder), run_name="__main__")


# The test's own frames stand for those of the executor.
OWN = str(Path(__file__).parent)


def test_frames_of_libraries_are_left_out(tmp_path: Path) -> None:
    run = program(tmp_path, "import json\n\njson.loads('{')\n")
    assert traceback_of(run, OWN) == dedent(
        f"""\
        Traceback (most recent call last):
          File "{tmp_path}/__main__.py", line 3, in <module>
            json.loads('{{')
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: \
line 1 column 2 (char 1)"""
    )


def test_the_error_that_led_to_another_is_shown_with_own_frames_alone(tmp_path: Path) -> None:
    run = program(
        tmp_path,
        """\
        import json
        try:
            json.loads("{")
        except ValueError as error:
            raise RuntimeError("no settings") from error
        """,
    )
    assert traceback_of(run, OWN) == dedent(
        f"""\
        Traceback (most recent call last):
          File "{tmp_path}/__main__.py", line 3, in <module>
            json.loads("{{")
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: \
line 1 column 2 (char 1)

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "{tmp_path}/__main__.py", line 5, in <module>
            raise RuntimeError("no settings") from error
        RuntimeError: no settings"""
    )


def test_a_syntax_error_has_its_place_and_no_frames(tmp_path: Path) -> None:
    assert traceback_of(program(tmp_path, "a = (1,\n"), OWN) == dedent(
        f"""\
          File "{tmp_path}/__main__.py", line 1
            a = (1,
                ^
        SyntaxError: '(' was never closed"""
    )


def test_each_error_of_a_group_is_shown_with_own_frames_alone(tmp_path: Path) -> None:
    run = program(
        tmp_path,
        """\
        import json
        errors = []
        try:
            json.loads("{")
        except ValueError as error:
            errors.append(error)
        raise ExceptionGroup("settings", errors)
        """,
    )
    shown = traceback_of(run, OWN)
    assert "json/decoder.py" not in shown
    assert f'File "{tmp_path}/__main__.py", line 4, in <module>' in shown


def test_an_error_without_own_frames_keeps_those_of_libraries() -> None:
    shown = traceback_of(lambda: json.loads("{"), str(Path(__file__).parent))
    assert "json/decoder.py" in shown
    assert Path(__file__).name not in shown


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_packages_of_an_environment_inside_the_project_are_libraries(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / ".venv" / folder
    package.mkdir(parents=True)
    (package / "a_package_of_the_test.py").write_text("def fail():\n    1 / 0\n")
    monkeypatch.syspath_prepend(str(package))
    run = program(tmp_path, "import a_package_of_the_test\n\na_package_of_the_test.fail()\n")
    assert traceback_of(run, OWN) == dedent(
        f"""\
        Traceback (most recent call last):
          File "{tmp_path}/__main__.py", line 3, in <module>
            a_package_of_the_test.fail()
        ZeroDivisionError: division by zero"""
    )
    monkeypatch.delitem(__import__("sys").modules, "a_package_of_the_test")
