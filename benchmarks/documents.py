"""Large and hostile API documents, four uploads at a time, on a production stack.

What was answered, each replica's memory second by second, how long /livez took meanwhile, and
whether anything was restarted.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from docker.models.containers import Container

from benchmarks.harness.background import Background
from benchmarks.harness.load import p99_ms
from benchmarks.harness.machine import engine_client
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import admin_password, portal_client, production_settings

AT_ONCE = 4
PLACE = "/api/v1/entities/api/default/large-api"
_ROUNDS = 3
_PROBE_SECONDS = 0.1
_MB = 1024 * 1024
_NEW = {"kind": "api", "name": "large-api", "title": "Large", "owner": "loaders"}
# Administrators beside the first, who still has to change his password.
_PEOPLE = f"""insert into user_account (id, email, password_hash, role)
select gen_random_uuid(), 'loader' || n || '@example.com', password_hash, 'admin'
from user_account, generate_series(1, {AT_ONCE}) n where email = 'admin@example.com'"""


def measure() -> bool:
    """Print what was found; whether every answer was a good one and nothing was restarted."""
    documents = {
        "large": large_yaml(operations=900, schemas=300).encode(),
        "26 allOf": doubling_yaml(26).encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        stack = PortalStack(
            Path(folder) / "bench", engine_client(), settings=dict(production_settings())
        )
        try:
            stack.up()
            with uploaders(stack) as people:
                good = [_measure(stack, people, *one) for one in documents.items()]
            return all(good)
        finally:
            stack.remove()


def _measure(stack: PortalStack, people: Sequence[httpx.Client], name: str, content: bytes) -> bool:
    before, began = restarts(stack), time.monotonic()
    with Memory(stack) as memory, Liveness(stack) as liveness:
        answers = [
            answer
            for number in range(_ROUNDS)
            for answer in upload_at_once(people, f"{len(content)}-{number}", content)
        ]
    took = time.monotonic() - began
    statuses = Counter(answer.status_code for answer in answers)
    after = restarts(stack)
    print(
        f"{name}: {len(content):,} bytes, {_ROUNDS} x {AT_ONCE} uploads at once, {took:.0f} s\n"
        f"  answers      {', '.join(f'{count} x {code}' for code, count in statuses.items())}\n"
        f"  memory       at most {memory.most} of {memory.limit} MB; second by second\n"
        + "".join(f"    {replica}: {used}\n" for replica, used in memory.seen.items())
        + f"  /livez       {len(liveness.seconds)} answered, {liveness.failed} failed, "
        f"p99 {p99_ms(liveness.seconds):.0f} ms, at most {max(liveness.seconds) * 1000:.0f} ms\n"
        f"  restarts     {sum(after.values()) - sum(before.values())}",
        flush=True,
    )
    is_answered = statuses[201] > 0 and set(statuses) <= {201, 503}
    return before == after and not liveness.failed and is_answered


@contextmanager
def uploaders(stack: PortalStack) -> Iterator[list[httpx.Client]]:
    """Four who may upload, each signed in, and an entity to upload to."""
    stack.query(_PEOPLE)
    password = admin_password(stack)
    clients = [portal_client(stack) for _ in range(AT_ONCE)]
    for number, client in enumerate(clients, 1):
        client.timeout = 90
        given = {"email": f"loader{number}@example.com", "password": password}
        token = client.post("/api/v1/auth/login", json=given).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
    clients[0].post("/api/v1/teams", json={"name": "loaders", "title": "Loaders"})
    clients[0].post("/api/v1/entities", json=_NEW).raise_for_status()
    yield clients
    clients[0].delete(PLACE, headers={"If-Match": "*"})
    for client in clients:
        client.close()
    stack.query("delete from user_account where email like 'loader%'")


def upload_at_once(
    people: Sequence[httpx.Client], name: str, content: bytes
) -> list[httpx.Response]:
    """The answers, one for each of the people."""

    def upload(number: int) -> httpx.Response:
        path = f"{PLACE}/versions/{name}.{number}"
        # Another document for each: the same one would be stored and read once.
        return people[number].put(path, content=content + b"\n" * number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(upload, range(AT_ONCE)))


def restarts(stack: PortalStack) -> dict[str, int]:
    """Of each container, by name."""
    return {str(one.name): one.attrs["RestartCount"] for one in stack.containers()}


class Memory(Background):
    """Of each replica, in MB, once a second as the engine tells it."""

    def __init__(self, stack: PortalStack) -> None:
        self._replicas = stack.containers("app")
        self.seen: dict[str, list[int]] = {str(one.name): [] for one in self._replicas}
        self.limit = 0

    def work(self) -> Iterator[Callable[[], None]]:
        return (partial(self._follow, one) for one in self._replicas)

    def _follow(self, replica: Container) -> None:
        every_second: Any = replica.stats(stream=True, decode=True)
        for told in every_second:
            used = told["memory_stats"]
            self.limit = used.get("limit", 0) // _MB
            self.seen[str(replica.name)].append(used.get("usage", 0) // _MB)
            if self.ended.is_set():
                return

    @property
    def most(self) -> int:
        return max(max(of_one) for of_one in self.seen.values())


class Liveness(Background):
    """How long /livez takes, through Nginx."""

    def __init__(self, stack: PortalStack) -> None:
        self._client = portal_client(stack)
        self.seconds: list[float] = []
        self.failed = 0

    def work(self) -> Iterator[Callable[[], None]]:
        yield self._probe

    def _probe(self) -> None:
        while not self.ended.wait(_PROBE_SECONDS):
            began = time.monotonic()
            try:
                self._client.get("/livez").raise_for_status()
            except httpx.HTTPError:
                self.failed += 1
            self.seconds.append(time.monotonic() - began)


def large_yaml(*, operations: int, schemas: int) -> str:
    """YAML of about 8 kB for an operation or schema, as large APIs publish it."""

    def of_schema(number: int) -> str:
        fields = "".join(
            f"        field_{index}_url:\n          type: string\n          format: uri\n"
            f"          description: Where part {index} of {number} is found, if it is there.\n"
            f"          example: https://api.example.com/repos/octocat/{number}/{index}\n"
            for index in range(40)
        )
        return f"    Schema{number}:\n      type: object\n      properties:\n{fields}"

    def of_operation(number: int) -> str:
        examples = "".join(
            f"                  field_{index}_url: https://api.example.com/repos/{number}/{index}\n"
            for index in range(100)
        )
        return (
            f"  /repos/{{owner}}/things{number}:\n    get:\n      operationId: things/{number}\n"
            f"      tags: [tag{number % 40}]\n      parameters:\n"
            "      - {name: owner, in: path, required: true, schema: {type: string}}\n"
            "      responses:\n        '200':\n          description: A thing\n"
            "          content:\n            application/json:\n              schema:\n"
            f"                $ref: '#/components/schemas/Schema{number % schemas}'\n"
            f"              example:\n{examples}"
        )

    return "".join(
        (
            "openapi: 3.0.3\ninfo: {title: Large, version: '1'}\npaths:\n",
            *map(of_operation, range(operations)),
            "components:\n  schemas:\n",
            *map(of_schema, range(schemas)),
        )
    )


def doubling_yaml(levels: int) -> str:
    """Schemas of which each is made of the next one, twice: 2 ** `levels` ways lead to the last."""
    schemas = "".join(
        f"    S{number}:\n      allOf:\n"
        + f"      - $ref: '#/components/schemas/S{number + 1}'\n" * 2
        for number in range(levels)
    )
    return (
        "openapi: 3.0.3\ninfo: {title: Doubling, version: '1'}\npaths: {}\n"
        f"components:\n  schemas:\n{schemas}    S{levels}: {{type: object}}\n"
    )
