"""Runs in the program's own Python; every Python that the Pulumi SDK supports can read it."""
