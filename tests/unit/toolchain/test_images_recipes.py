"""toolchain/images: which images there are."""

import json
from pathlib import Path

import pytest

from toolchain.images.errors import ImagesError
from toolchain.images.recipes import COMMON_LAYER, choose_recipes, load_recipes


def test_every_role_of_the_project_has_a_recipe() -> None:
    roles = [recipe.role for recipe in load_recipes()]
    assert roles == ["python", "postgres", "redis", "nginx", "adminer", "redis-commander"]


def test_stand_ins_carry_names_of_their_own() -> None:
    for recipe in load_recipes():
        assert recipe.name.startswith(f"devportal/base-{recipe.role}:")


def test_names_end_in_the_recipes_revision() -> None:
    for name in [COMMON_LAYER, *(recipe.name for recipe in load_recipes())]:
        assert name.rpartition("-")[2].isdigit(), name


def test_role_without_a_dockerfile_is_named(tmp_path: Path) -> None:
    names = tmp_path / "base-images.json"
    names.write_text(json.dumps({"nix": {"official": "nix:1", "packages": "devportal/nix:1-1"}}))
    with pytest.raises(ImagesError) as caught:
        load_recipes(names, tmp_path)
    assert str(caught.value) == (
        "base-images.json: nix: should have a recipe "
        f"(got no Dockerfile in {tmp_path.name}/nix). Write one."
    )


def test_unreadable_names_are_told_without_a_traceback(tmp_path: Path) -> None:
    names = tmp_path / "base-images.json"
    names.write_text('{"python": {}}')
    with pytest.raises(ImagesError) as caught:
        load_recipes(names, tmp_path)
    assert str(caught.value) == (
        "base-images.json: should map each role to its `official` and `packages` image "
        "(got KeyError: 'packages'). Restore it with `git checkout`."
    )


def test_unknown_role_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImagesError) as caught:
        choose_recipes(load_recipes(), ["postgress"])
    assert str(caught.value) == (
        "role: should be one of adminer, nginx, postgres, python, redis, redis-commander "
        "(got 'postgress'). Correct it."
    )


def test_no_role_means_all() -> None:
    recipes = load_recipes()
    assert choose_recipes(recipes, []) == recipes
    assert [recipe.role for recipe in choose_recipes(recipes, ["redis"])] == ["redis"]
