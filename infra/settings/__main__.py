"""`python -m infra.settings STACK`: checks a stack's settings before Pulumi starts.

`python -m infra.settings --write-docs` writes what is generated from the settings' types.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.settings.reference import write_reference
from infra.settings.stack_file import find_mistakes


def main(arguments: Sequence[str]) -> int:
    """1 if there is a mistake, else 0."""
    parser = argparse.ArgumentParser(prog="python -m infra.settings", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("stack", nargs="?", help="name of the stack, in the project's folder")
    what.add_argument("--write-docs", action="store_true", help="write docs/settings.md and schema")
    given = parser.parse_args(arguments)
    if given.write_docs:
        write_reference(Path.cwd())
        return 0
    # Pulumi also takes `organization/project/stack`.
    mistakes = find_mistakes(Path.cwd(), given.stack.rpartition("/")[2])
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
