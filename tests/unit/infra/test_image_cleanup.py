"""Which images go with a stack, and what is said of those that cannot."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

from infra.engine.image_cleanup import ImageInUseError, remove_images


@dataclass
class FakeEngine:
    """Images by id with their tags, and which container runs which."""

    tags: dict[str, list[str]]
    users: dict[str, list[str]] = field(default_factory=dict)

    @property
    def images(self) -> Any:
        return SimpleNamespace(list=self._list, remove=self._remove)

    @property
    def containers(self) -> Any:
        return SimpleNamespace(list=self._list_containers)

    def _list(self, filters: dict[str, str]) -> list[Any]:
        assert filters == {"label": "devportal.stack=dev"}
        return [SimpleNamespace(id=id_, tags=tags) for id_, tags in self.tags.items()]

    def _remove(self, id_: str, force: bool) -> None:
        assert force
        if id_ not in self.tags:
            raise ImageNotFound(id_)
        del self.tags[id_]

    def _list_containers(
        self, all: bool, ignore_removed: bool, filters: dict[str, str]
    ) -> list[Any]:
        assert all
        assert ignore_removed
        return [SimpleNamespace(name=name) for name in self.users.get(filters["ancestor"], [])]


def test_image_that_somebody_else_runs_is_reported_and_the_rest_goes() -> None:
    engine: Any = FakeEngine(
        {"sha256:1": ["devportal-dev-redis:latest"], "sha256:2": []}, {"sha256:1": ["mine"]}
    )
    with pytest.raises(ImageInUseError) as error:
        remove_images(engine, "dev")
    assert str(error.value) == (
        "images of stack dev: should be free (got: 'mine' runs 'devportal-dev-redis:latest'). "
        "Remove these containers, they are not the stack's; then run this again."
    )
    assert list(engine.tags) == ["sha256:1"]
