"""Set-up of a machine: every tool `pulumi up` needs, taken from where it can be had.

Standard library only: it runs before any Python environment exists.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs it has the old one
    sys.exit(
        f"python3: should be 3.11 or newer (got {sys.version.split()[0]}). "
        "Install a newer one and put it first on PATH."
    )
