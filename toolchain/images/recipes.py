"""Which images there are: names from `docker/base-images.json`, a folder with a Dockerfile each."""

import json
from dataclasses import dataclass
from pathlib import Path

from toolchain.images.errors import ImagesError

ROOT = Path(__file__).resolve().parents[2]
BASE_IMAGES = ROOT / "docker" / "base-images.json"
RECIPES = Path(__file__).resolve().parent
LABEL = "devportal.base"
"""Label of every image made here; its value is the role."""
COMMON_LAYER = "devportal/base-debian:bookworm-1"
"""Debian with this machine's mirrors and certificates; the number is the recipe's revision."""
COMMON_ROLE = "debian"


@dataclass(frozen=True)
class Recipe:
    """One stand-in.

    Parameters
    ----------
    role
        Key in `docker/base-images.json`.
    name
        Name and tag of the image; the tag's last number is the recipe's revision.
    folder
        Build context with its Dockerfile.
    """

    role: str
    name: str
    folder: Path


def load_recipes(base_images: Path = BASE_IMAGES, folder: Path = RECIPES) -> list[Recipe]:
    """Every stand-in that `base_images` names, in its order.

    Raises
    ------
    ImagesError
        Raised for an unreadable file, or a role without a Dockerfile.
    """
    try:
        entries = json.loads(base_images.read_text())
        recipes = [
            Recipe(role, entry["packages"], folder / role) for role, entry in entries.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImagesError(
            f"{base_images.name}: should map each role to its `official` and `packages` image "
            f"(got {type(error).__name__}: {error}). Restore it with `git checkout`."
        ) from None
    for recipe in recipes:
        if not (recipe.folder / "Dockerfile").is_file():
            raise ImagesError(
                f"{base_images.name}: {recipe.role}: should have a recipe "
                f"(got no Dockerfile in {folder.name}/{recipe.role}). Write one."
            )
    return recipes


def choose_recipes(recipes: list[Recipe], roles: list[str]) -> list[Recipe]:
    """The recipes of `roles`; all of them if none is given.

    Raises
    ------
    ImagesError
        Raised for a role that has no recipe.
    """
    known = {recipe.role for recipe in recipes}
    for role in roles:
        if role not in known:
            raise ImagesError(
                f"role: should be one of {', '.join(sorted(known))} (got '{role}'). Correct it."
            )
    return [recipe for recipe in recipes if not roles or recipe.role in roles]
