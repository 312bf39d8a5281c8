"""The machine's own Python."""

import os
import shutil

from plugins.language.errors import LanguageError


def python_on_path() -> str:
    """Return the machine's Python: PULUMI_PYTHON_CMD, python3 or python.

    Raises
    ------
    LanguageError
        If there is none.
    """
    named = os.environ.get("PULUMI_PYTHON_CMD")
    names = [named] if named else ["python3", "python"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise LanguageError(
            f"PATH: should have {' or '.join(names)} (got none). Install Python, "
            "or name a virtual environment in Pulumi.yaml:runtime.options.virtualenv."
        )
    return found
