"""The version this provider stands in for."""

VERSION = "5.2.0"
"""Of the official plugin; the engine asks for the one that `pulumi_docker` names."""
