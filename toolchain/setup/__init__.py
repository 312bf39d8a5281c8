"""Set-up of a machine: every tool `pulumi up` needs, taken from where it can be had.

Standard library only: it runs before any Python environment exists.
"""
