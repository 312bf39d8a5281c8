"""Requests that updates lose: versions back and forth and replicas 2 to 4 to 2, under load.

Both sides run the same images behind the same Nginx configuration, on loopback, one after the
other. Each POST writes a row with an identity of its own, so that one that was carried out twice,
or was acknowledged and is not there, is seen in the database.
"""

import itertools
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compose_nginx import give_own_configuration
from benchmarks.harness.load import Load, Request, p99_ms
from benchmarks.harness.machine import engine_client
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.probe_image import ORDERS_TABLE, build_probe
from benchmarks.harness.production import production_settings, trust
from benchmarks.sides import Compose, Side, published_port

_CONNECTIONS = (4, 64)
_REST_REQUESTS = 3000
_VERSION_CHANGES = 5
_MIN_UPDATES = _VERSION_CHANGES + 2
_ORDERS = "/probe/orders/"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the clients of one side saw with so many connections.

    Parameters
    ----------
    twice
        POSTs that were carried out more than once.
    lost
        POSTs that were acknowledged and are not in the database.
    """

    connections: int
    updates: int
    rest: Load
    roll: Load
    twice: int
    lost: int

    @property
    def failures(self) -> Counter[str]:
        return self.rest.failures + self.roll.failures

    @property
    def is_flawless(self) -> bool:
        return not (self.failures or self.twice or self.lost)


def measure(compose: Path, requests: int) -> bool:
    """Run both sides and print the table; whether ours lost nothing and did nothing twice."""
    with tempfile.TemporaryDirectory() as folder:
        # Compose waits for the engine's own probes, so they are as often as for a user.
        settings = {**production_settings(), "app": {"version": "1"}, "health": {}}
        stack = PortalStack(Path(folder) / "bench", engine_client(), settings=settings)
        try:
            ours, theirs = _measure_sides(stack, compose, requests)
        finally:
            stack.remove()
    _print_table({"pulumi": ours, "compose": theirs})
    return all(found.is_flawless for found in ours)


def _measure_sides(
    stack: PortalStack, compose: Path, requests: int
) -> tuple[list[Findings], list[Findings]]:
    stack.up()
    images = [build_probe(stack, version) for version in ("1", "2")]
    other = Compose(compose, stack, edit=lambda model: give_own_configuration(model, stack))
    ours = _measure_side(stack, stack, images, requests)
    try:
        # As many updates as ours at least; how many requests they take is Compose's own matter.
        return ours, _measure_side(other, stack, images, 0)
    finally:
        other.destroy()


def _measure_side(
    side: Side, stack: PortalStack, images: list[str], requests: int
) -> list[Findings]:
    side.change_app(image=images[0], replicas=2)
    side.query(ORDERS_TABLE)
    wanted = requests // len(_CONNECTIONS)
    return [_measure_load(side, stack, images, number, wanted) for number in _CONNECTIONS]


def _measure_load(
    side: Side, stack: PortalStack, images: list[str], connections: int, requests: int
) -> Findings:
    def load() -> Load:
        port = published_port(side, "nginx", "8443/tcp")
        return Load(port, trust(stack), connections, 2, send_orders, _REST_REQUESTS)

    with load() as rest:
        rest.wait_for_goal()
    updates = 0
    with load() as roll:
        for changes in _updates(images):
            if updates >= _MIN_UPDATES and roll.answered >= requests:
                break
            side.change_app(**changes)
            updates += 1
            print(
                f"{'Pulumi' if side is stack else 'Compose'}, {connections} connections: "
                f"update {updates}, {roll.answered} answered, {roll.failed} failed",
                flush=True,
            )
    twice, lost = compare_orders(side, rest.accepted + roll.accepted)
    return Findings(
        connections=connections, updates=updates, rest=rest, roll=roll, twice=twice, lost=lost
    )


def send_orders(client: int) -> Iterator[Request]:
    """Orders of which no two are the same, and GETs with and without the database.

    None that answers 503 when the machine is busy: that would be no request that an update lost.
    """
    prefix = f"{uuid.uuid4().hex}-{client}"
    for number in itertools.count():
        yield Request("GET", "/probe/database", 200)
        yield Request("POST", f"{_ORDERS}{prefix}-{number}", 201)
        yield Request("GET", "/livez", 200)


def _updates(images: list[str]) -> Iterator[dict[str, Any]]:
    """Versions back and forth, replicas up and down, and if need be again."""
    versions = itertools.cycle([("2", images[1]), ("1", images[0])])
    while True:
        for version, image in itertools.islice(versions, _VERSION_CHANGES):
            yield {"version": version, "image": image}
        yield {"replicas": 4}
        yield {"replicas": 2}


def compare_orders(side: Side, accepted: list[str]) -> tuple[int, int]:
    """How many orders were carried out more than once, how many accepted ones are not there."""
    rows = Counter(side.query("select identity from probe_orders").split())
    side.query("truncate probe_orders")
    twice = sum(count > 1 for count in rows.values())
    return twice, sum(path.removeprefix(_ORDERS) not in rows for path in accepted)


def _print_table(sides: dict[str, list[Findings]]) -> None:
    print(
        "rolling  connections  updates  requests  failed  POSTs twice  POSTs lost"
        "  p99 at rest  p99 in updates  ratio"
    )
    for side, all_found in sides.items():
        for found in all_found:
            rest, roll = p99_ms(found.rest.seconds), p99_ms(found.roll.seconds)
            print(
                f"{side:8} {found.connections:11} {found.updates:8}"
                f" {found.roll.answered + found.roll.failed:9} {found.failures.total():7}"
                f" {found.twice:12} {found.lost:11} {rest:9.0f} ms {roll:12.0f} ms"
                f" {roll / rest:6.1f}"
            )
    for side, all_found in sides.items():
        for reason, count in sum((found.failures for found in all_found), Counter()).most_common():
            print(f"{side:8} {count:8} x {reason}")
