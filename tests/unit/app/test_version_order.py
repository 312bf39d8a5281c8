"""The latest version is the highest."""

import random

import pytest

from app.models.version_order import predecessor, version_rank

_RISING = {
    "semantic": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 "
    "1.0.0-rc.1 1.0.0 1.9.0 1.10.0-0 1.10.0 2.0.0",
    "short": "v1alpha1 v1beta2 v1beta10 v1 v1.1 v2 v10",
    "dates": "2023-12-31 2024-02-01-preview 2024-02-01 2024-02-01.acacia 2024-02-01.basil",
    "names": "draft release-9 release-10 1.0",
}


@pytest.mark.parametrize("names", _RISING.values(), ids=_RISING.keys())
def test_versions_are_ordered_as_people_count_them(names: str) -> None:
    rising = names.split()
    mixed = random.Random(1).sample(rising, len(rising))
    assert sorted(mixed, key=version_rank) == rising


@pytest.mark.parametrize(
    ("version", "before"),
    [("1.4.1", "1.4.0"), ("2.1", "2.0.0"), ("1.4.0", "1.4.0"), ("0.9", None)],
)
def test_upload_is_compared_with_what_it_replaces_or_the_version_below(
    version: str, before: str | None
) -> None:
    assert predecessor(version, ["2.0.0", "1.4.0", "1.3.9"]) == before
