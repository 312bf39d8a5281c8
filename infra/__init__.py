"""Pulumi components of the developer portal: one component, one file; they meet in `portal`."""
