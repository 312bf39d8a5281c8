"""docker.Tag: diffs, and what it does on a fake engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.resource import (
    DeleteRequest,
    ReadRequest,
)
from plugins.docker.resources.tag import TagResource
from tests.support.image_engine import ImageEngine, RunningEngine
from tests.support.image_resources import (
    IMAGE_ID,
    context_of,
    made,
    replacing,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ImageEngine]:
    with RunningEngine(tmp_path) as engine:
        yield engine


@pytest.fixture
def context(engine: ImageEngine) -> Context:
    return context_of(engine)


def test_tag_names_the_source(context: Context, engine: ImageEngine) -> None:
    engine.add_image("shop:1", IMAGE_ID)
    outputs = made(TagResource(), context, sourceImage="shop:1", targetImage="reg.io:5000/shop:2")
    assert outputs == {
        "id": "shop:1.reg.io:5000/shop:2",
        "sourceImage": "shop:1",
        "targetImage": "reg.io:5000/shop:2",
        "sourceImageId": IMAGE_ID,
    }
    assert engine.images["reg.io:5000/shop:2"]["Id"] == IMAGE_ID


def test_tag_of_a_missing_source_is_named(context: Context) -> None:
    with pytest.raises(ResourceError) as failure:
        made(TagResource(), context, sourceImage="gone:1", targetImage="shop:2")
    assert str(failure.value) == (
        "tag 'shop:2': its source 'gone:1' should be present locally (got: not found). "
        "Build or pull it first."
    )


@pytest.mark.parametrize("key", ["sourceImage", "targetImage", "tagTriggers"])
def test_every_edit_of_a_tag_replaces_it(key: str) -> None:
    base = {"sourceImage": "a", "targetImage": "b", "tagTriggers": ["1"]}
    new = base | {key: ["2"] if key == "tagTriggers" else "c"}
    assert replacing(TagResource(), base, new) == {key: True}


@pytest.mark.parametrize(
    ("actual", "is_found"), [(IMAGE_ID, True), ("sha256:other", False), (None, False)]
)
def test_tag_is_gone_when_its_name_is_missing_or_means_another_image(
    context: Context, engine: ImageEngine, actual: str | None, is_found: bool
) -> None:
    if actual:
        engine.add_image("shop:2", actual)
    state = {"sourceImage": "shop:1", "targetImage": "shop:2", "sourceImageId": IMAGE_ID}
    found = TagResource().read(context, ReadRequest(id="x", state=state, inputs={}))
    assert (found is not None) is is_found


def test_deleted_tag_leaves_the_name(context: Context, engine: ImageEngine) -> None:
    TagResource().delete(context, DeleteRequest(id="x", state={"targetImage": "shop:2"}))
    assert engine.calls == []
