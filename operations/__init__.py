"""What the make targets run.

A target starts twice: `operations`, in the machine's Python with the standard library alone, reads
the arguments and makes the machine ready; `operations.on_stack` does what needs libraries in the
program's Python.
"""

import sys

# Here, before the import of anything that an old Python cannot read; this file, it can.
if sys.version_info < (3, 11):  # noqa: UP036 - an old Python gets this far
    sys.exit(
        f"python3: should be 3.11 or newer (got {sys.version.split()[0]}). "
        "Install a newer one and put it first on PATH."
    )
