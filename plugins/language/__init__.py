"""A language host for Pulumi programs in Python, for networks where Pulumi's own cannot be had."""
