"""The stand-ins for the official base images, as this machine's engine holds them."""

import json
import subprocess

import pytest

from benchmarks.harness.machine import tool_environment
from toolchain.images.recipes import Recipe, load_recipes

RECIPES = load_recipes()
IDS = {"postgres": "70:70", "redis": "999:1000", "nginx": "101:101"}
VARIABLES = {"PATH", "LANG", "PGDATA", "NODE_ENV"}


@pytest.fixture(autouse=True)
def stand_ins() -> None:
    if tool_environment()["DEVPORTAL_IMAGE_SOURCE"] != "packages":
        pytest.skip("the official images are used here")


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def run(recipe: Recipe, script: str) -> str:
    options = ("--rm", "--network", "none", "--user", "0:0", "--entrypoint", "sh")
    return docker("run", *options, recipe.name, "-c", script)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.role)
def test_image_has_its_label_and_keeps_no_proxy(recipe: Recipe) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", recipe.name))
    assert config["Labels"] == {"devportal.base": recipe.role}
    assert {variable.partition("=")[0] for variable in config["Env"]} <= VARIABLES


@pytest.mark.parametrize("role", IDS)
def test_ids_are_those_of_the_official_image(role: str) -> None:
    (recipe,) = (recipe for recipe in RECIPES if recipe.role == role)
    assert run(recipe, f"id -u {role}; id -g {role}").split() == IDS[role].split(":")
