"""What the make targets run.

A target starts twice: `operations`, in the machine's Python with the standard library alone, reads
the arguments and makes the machine ready; `operations.on_stack` does what needs libraries in the
program's Python.
"""
