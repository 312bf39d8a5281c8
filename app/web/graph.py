"""An entity's relations as a picture: who points at it on the left, what it needs on the right."""

from dataclasses import dataclass

from app.models.entities import EntityOut
from app.models.relations import EntityRef, RelationOut, Relations
from app.web.links import entity_path
from app.web.wording import KIND_NAMES, RELATION_NAMES

_NODE_WIDTH, _NODE_HEIGHT, _ROW, _GAP = 190, 50, 66, 120
_TITLE_CHARACTERS = 23
MOST = 10
"""On each side; the list beside the picture has them all."""
_ARROW, _ABOVE, _BELOW = 7, 6, 15


@dataclass(frozen=True)
class Node:
    """A box; `url` leads to the entity, empty for the one in the middle and what is not there."""

    x: int
    y: int
    kind: str
    kind_name: str
    title: str
    short_title: str
    url: str
    exists: bool


@dataclass(frozen=True)
class Edge:
    """A line from the left to the right, with its arrow and its name in the middle."""

    path: str
    arrow: str
    name: str
    name_side: str
    name_x: int
    name_y: int


@dataclass(frozen=True)
class Graph:
    """Everything the template draws."""

    width: int
    height: int
    node_width: int
    node_height: int
    nodes: list[Node]
    edges: list[Edge]
    more: int
    """Relations that only the list has."""


def draw(entity: EntityOut, relations: Relations) -> Graph:
    """The picture of one entity and its neighbours."""
    left, right = relations.incoming[:MOST], relations.outgoing[:MOST]
    more = len(relations.incoming) + len(relations.outgoing) - len(left) - len(right)
    height = max(len(left), len(right), 1) * _ROW
    x, y = _column(1 if left else 0), (height - _NODE_HEIGHT) // 2
    nodes, edges = [_node(entity, x, y, url="")], list[Edge]()
    for relation, row in zip(left, _rows(len(left), height), strict=True):
        nodes.append(_node(relation.entity, _column(0), row, url=_url(relation)))
        edges.append(_edge((_column(0), row), (x, y), relation, at_start=True))
    outer = x + _column(1) - _column(0)
    for relation, row in zip(right, _rows(len(right), height), strict=True):
        nodes.append(_node(relation.entity, outer, row, url=_url(relation)))
        edges.append(_edge((x, y), (outer, row), relation, at_start=False))
    width = max(node.x for node in nodes) + _NODE_WIDTH + 1
    return Graph(width, height, _NODE_WIDTH, _NODE_HEIGHT, nodes, edges, more)


def _column(number: int) -> int:
    return 1 + number * (_NODE_WIDTH + _GAP)


def _rows(count: int, height: int) -> list[int]:
    top = (height - count * _ROW) // 2 + (_ROW - _NODE_HEIGHT) // 2
    return [top + index * _ROW for index in range(count)]


def _url(relation: RelationOut) -> str:
    if not relation.entity.exists:
        return ""
    return entity_path(relation.entity.kind, relation.entity.namespace, relation.entity.name)


def _node(entity: EntityOut | EntityRef, x: int, y: int, *, url: str) -> Node:
    kind, title = entity.kind, entity.title
    short = title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1] + "…"
    exists = isinstance(entity, EntityOut) or entity.exists
    return Node(x, y, kind, KIND_NAMES[kind], title, short, url, exists)


def _edge(
    start: tuple[int, int], end: tuple[int, int], relation: RelationOut, *, at_start: bool
) -> Edge:
    """A curve; its name stands where it leaves or reaches the outer box, lines are apart there."""
    x1, y1 = start[0] + _NODE_WIDTH, start[1] + _NODE_HEIGHT // 2
    x2, y2 = end[0] - _ARROW, end[1] + _NODE_HEIGHT // 2
    bend = x1 + (x2 - x1) // 4 if not at_start else x1 + (x2 - x1) * 3 // 4
    path = f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"
    tip = f"{x2},{y2 - 4} {x2 + _ARROW},{y2} {x2},{y2 + 4}"
    (x, y), inner = ((x1 + 6, y1), y2) if at_start else ((x2 - 3, y2), y1)
    name, side = RELATION_NAMES[relation.type][0], "start" if at_start else "end"
    return Edge(path, tip, name, side, x, y + _BELOW if inner < y else y - _ABOVE)
