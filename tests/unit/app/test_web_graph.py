"""Relations as a picture."""

from itertools import pairwise

from app.models.relations import EntityRef, RelationOut, Relations
from app.web.graph import draw
from tests.unit.app.conftest import entity

_ENTITY = entity("orders")


def _related(name: str, title: str = "Other") -> RelationOut:
    ref = EntityRef(kind="system", namespace="default", name=name, title=title)
    return RelationOut(type="part_of", entity=ref)


def test_who_points_at_the_entity_stands_left_and_what_it_needs_right() -> None:
    found = draw(_ENTITY, Relations(incoming=[_related("a")], outgoing=[_related("b")]))
    places = {node.url: node.x for node in found.nodes}
    assert places["/entities/system/default/a"] < places[""] < places["/entities/system/default/b"]
    assert [edge.name for edge in found.edges] == ["Part of", "Part of"]


def test_a_side_without_anybody_takes_no_room() -> None:
    both = draw(_ENTITY, Relations(incoming=[_related("a")], outgoing=[_related("b")]))
    one = draw(_ENTITY, Relations(incoming=[], outgoing=[_related("b")]))
    assert one.width < both.width
    assert one.nodes[0].x == both.nodes[1].x


def test_no_two_boxes_overlap_and_all_are_in_the_picture() -> None:
    many = [_related(f"n{number}") for number in range(7)]
    found = draw(_ENTITY, Relations(incoming=many[:2], outgoing=many))
    column = sorted(node.y for node in found.nodes if node.x == max(n.x for n in found.nodes))
    gaps = [below - above for above, below in pairwise(column)]
    assert min(gaps) >= found.node_height
    assert column[-1] + found.node_height <= found.height


def test_a_long_title_is_cut_in_its_box_and_whole_for_readers() -> None:
    title = "A title that is much longer than a box"
    node = draw(_ENTITY, Relations(incoming=[], outgoing=[_related("b", title)])).nodes[1]
    assert (node.short_title, node.title) == ("A title that is much l…", title)


def test_what_is_not_there_yet_has_a_box_that_leads_nowhere() -> None:
    missing = EntityRef(kind="api", namespace="default", name="x", title="x", exists=False)
    relation = RelationOut(type="consumes", entity=missing)
    found = draw(_ENTITY, Relations(incoming=[], outgoing=[relation]))
    assert [(node.url, node.exists) for node in found.nodes] == [("", True), ("", False)]


def test_ten_a_side_are_drawn_and_the_others_counted() -> None:
    many = [_related(f"n{number}") for number in range(302)]
    found = draw(_ENTITY, Relations(incoming=many[:4], outgoing=many))
    assert (len(found.nodes), found.more) == (1 + 4 + 10, 292)
