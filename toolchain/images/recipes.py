"""Which images there are: names from `docker/base-images.json`, a folder with a Dockerfile each."""

import json
from dataclasses import dataclass
from pathlib import Path

RECIPES = Path(__file__).resolve().parent
BASE_IMAGES = RECIPES.parents[1] / "docker" / "base-images.json"
COMMON_LAYER = "devportal/base-debian:bookworm-1"
"""Debian with this machine's mirrors and certificates; the number is the recipe's revision."""


@dataclass(frozen=True)
class Recipe:
    """One stand-in, and the official image that it takes the place of."""

    role: str
    official: str
    name: str
    """Name and tag; the tag's last number is the recipe's revision."""

    @property
    def folder(self) -> Path:
        """Build context with its Dockerfile."""
        return RECIPES / self.role


def load_recipes() -> list[Recipe]:
    """Every stand-in of the stack."""
    entries = json.loads(BASE_IMAGES.read_text())
    return [Recipe(role, entry["official"], entry["packages"]) for role, entry in entries.items()]
