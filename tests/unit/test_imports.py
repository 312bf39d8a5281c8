"""Imports go down: the contracts of pyproject.toml, which import-linter reads."""

import subprocess
import sys
from pathlib import Path

from toolchain.setup.project import ROOT


def test_every_contract_of_the_layers_is_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    options = ("--no-cache", "--no-logo")
    done = subprocess.run([program, *options], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
