"""Labels: a list of `{label, value}` in Pulumi, a map in the engine."""

from collections.abc import Mapping
from typing import Any


def labels_to_map(labels: list[dict[str, str]] | None) -> dict[str, str]:
    """The engine's form; the last of several equal names counts."""
    return {entry["label"]: entry.get("value", "") for entry in labels or ()}


def labels_from_map(labels: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Pulumi's form, by name, so that it is the same each time."""
    return [{"label": name, "value": value} for name, value in sorted((labels or {}).items())]


def normal_labels(labels: list[dict[str, Any]]) -> dict[str, str]:
    """The form in which labels are compared."""
    return labels_to_map(labels)
