"""What a crash in the middle of a write leaves, and how each server starts on it."""

import re
from collections.abc import Iterator

import pytest
from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from tests.support.restarts import wait_until_healthy

BASE, INCREMENT = "appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof"
MANIFEST = "appendonly.aof.manifest"
FILL_REDIS = """
set -e
mkdir /store/intact && cd /store/intact
redis-server --dir $PWD --appendonly yes --port 0 --unixsocket /tmp/s --daemonize yes >/dev/null
call() { redis-cli -s /tmp/s "$@" >/dev/null; }
until call ping 2>/dev/null; do sleep 0.05; done
for number in 1 2 3 4 5; do call set in-the-base-$number $number; done
call bgrewriteaof
until [ -e appendonlydir/appendonly.aof.2.base.rdb ]; do sleep 0.05; done
call set first 1
printf 'multi\\nset second 2\\nset third 3\\nexec\\n' | redis-cli -s /tmp/s >/dev/null
call shutdown nosave
"""
# It starts twice: what the first start repaired, the second one finds whole.
START_REDIS = """
set -e
echo 'user default off resetpass' > /tmp/users.acl
rm -rf /store/case && cp -Rp /store/intact /store/case && cd /store/case/appendonlydir
cut() { head -c "-$2" "$1" > /tmp/cut; cat /tmp/cut > "$1"; }
zeros() { head -c "$2" /dev/zero >> "$1"; }
%s
cd /store/case
for turn in 1 2; do
    REDIS_DATA=$PWD REDIS_ACCESS_LIST=/tmp/users.acl start-redis redis-server --dir $PWD \\
        --appendonly yes --port 0 --unixsocket /tmp/s --daemonize yes >/dev/null 2>"/tmp/said$turn"
    until [ "$(redis-cli -s /tmp/s ping)" = PONG ]; do sleep 0.05; done 2>/dev/null
    redis-cli -s /tmp/s dbsize
    redis-cli -s /tmp/s shutdown nosave
done
cat /tmp/said1 /tmp/said2
for file in damaged-*/appendonly*; do [ ! -e "$file" ] || echo "kept ${file##*/}"; done
"""
SAID = (
    "redis: /store/case/appendonlydir: should be whole (got {}). Redis starts with what can be "
    "read; the files as they were are in /store/case/damaged-TIME; delete it when it is no longer "
    "needed."
)


def run_in(container: Container, script: str, **environment: str) -> list[str]:
    code, output = container.exec_run(["sh", "-c", script], environment=environment)
    assert isinstance(output, bytes)
    return [*output.decode().splitlines(), f"ended with {code}"]


@pytest.fixture(scope="module")
def redis(running_stack: PortalStack) -> Iterator[Container]:
    """A container of Redis' image in which no server runs, with data to damage."""
    store = {"/store": "uid=999,gid=1000,mode=0700"}
    container = run_idle(running_stack, "redis", "999:1000", store)
    assert run_in(container, FILL_REDIS) == ["ended with 0"]
    yield container
    container.remove(force=True, v=True)


def run_idle(stack: PortalStack, role: str, user: str, tmpfs: dict[str, str]) -> Container:
    return stack.client.containers.run(
        stack.image_id(role),
        ["600"],
        entrypoint=["sleep"],
        user=user,
        read_only=True,
        init=True,
        detach=True,
        network_disabled=True,
        tmpfs={"/tmp": "mode=0777", **tmpfs},
    )


@pytest.mark.parametrize(
    ("damage", "keys", "found"),
    [
        (":", 8, None),
        (f": > {INCREMENT}", 5, None),
        (f"cut {INCREMENT} 5", 6, f"N readable bytes of N in {INCREMENT}"),
        (f"cut {INCREMENT} 100", 5, f"N readable bytes of N in {INCREMENT}"),
        (f"cut {INCREMENT} 9; zeros {INCREMENT} 4096", 6, f"N readable bytes of N in {INCREMENT}"),
        (f"zeros {INCREMENT} 512", 8, f"N readable bytes of N in {INCREMENT}"),
        (f"shuf -e -n 9 $(seq 99) >> {INCREMENT}", 8, f"N readable bytes of N in {INCREMENT}"),
        (f": > {INCREMENT}; zeros {INCREMENT} 99", 5, f"0 readable bytes of N in {INCREMENT}"),
        (f"rm {INCREMENT}", 5, f"0 readable bytes of none in {INCREMENT}"),
        (f": > {BASE}", 0, f"0 readable bytes of 0 in {BASE}"),
        (f"cut {BASE} 20", 0, f"0 readable bytes of N in {BASE}"),
        (f"cut {BASE} 20; zeros {BASE} 20", 0, f"0 readable bytes of N in {BASE}"),
        (f"rm {BASE}", 0, f"0 readable bytes of none in {BASE}"),
        (f"rm {MANIFEST}", 8, "no manifest"),
        (f": > {MANIFEST}", 8, "no manifest"),
        (f": > {MANIFEST}; zeros {MANIFEST} 88", 8, "no manifest"),
        (f"cut {MANIFEST} 20", 8, "no manifest"),
        (f"mv {MANIFEST} temp-{MANIFEST}; touch temp-rewriteaof-bg-7.aof", 8, "no manifest"),
        (f"cp {INCREMENT} appendonly.aof.3.incr.aof; rm {MANIFEST}", 8, "no manifest"),
    ],
)
def test_redis_starts_with_what_can_be_read(
    redis: Container, damage: str, keys: int, found: str | None
) -> None:
    size, size_again, *said, end = run_in(redis, START_REDIS % damage)
    assert (size, size_again, end) == (str(keys), str(keys), "ended with 0")
    kept = [line for line in said if line.startswith("kept ")]
    told = [re.sub("damaged-[0-9TZ]+", "damaged-TIME", line) for line in said if line not in kept]
    told = [re.sub("[1-9][0-9]* (readable|in)", r"N \1", line) for line in told]
    assert told == ([] if found is None else [SAID.format(found)])
    assert bool(kept) is (found is not None)


PREPARE_POSTGRES = """
for name in postgres migrator app backup; do echo word > "/run/secrets/${name}_password"; done
mkdir /intact/data
start-postgres postgres -c listen_addresses= >/tmp/said 2>&1 &
# Not the server that fills the folder.
until [ -e /intact/data/postmaster.pid ] && pg_isready --quiet; do
    kill -0 $! || exec cat /tmp/said
    sleep 0.1
done
kill -INT $! && wait $!
"""
# Started as in a stack, and stopped once it accepts connections; else its last line.
START_POSTGRES = """
mkdir -p "$PGDATA" 2>/dev/null && rm -rf "$PGDATA"/* && cd "$PGDATA"
%s
start-postgres postgres -c listen_addresses= >/tmp/said 2>&1 &
until pg_isready --quiet; do kill -0 $! 2>/dev/null || exec tail -n 1 /tmp/said; sleep 0.05; done
kill -INT $! && wait $! && echo started && grep '^postgres:' /tmp/said || :
"""
INTACT = 'cp -Rp /intact/data/* "$PGDATA"; '
NO_ROOM = "Enlarge the disk, or delete what is not the database's, then run `make up`."


@pytest.fixture(scope="module")
def postgres(running_stack: PortalStack) -> Iterator[Container]:
    """A container of PostgreSQL's image in which no server runs, with data to damage."""
    owned = "uid=70,gid=70,mode=0700"
    folders = ("/intact", "/case", "/run/secrets", "/var/run/postgresql")
    mounts = {**dict.fromkeys(folders, owned), "/small": f"{owned},size=110m", "/ro": "ro"}
    container = run_idle(running_stack, "postgres", "70:70", mounts)
    in_intact = {"PGDATA": "/intact/data", "POSTGRES_DB": "devportal"}
    in_intact["POSTGRES_PASSWORD_FILE"] = "/run/secrets/postgres_password"
    assert run_in(container, PREPARE_POSTGRES, **in_intact) == ["ended with 0"]
    yield container
    container.remove(force=True, v=True)


@pytest.mark.parametrize(
    ("folder", "damage", "said"),
    [
        ("/case", INTACT + "echo $$ > postmaster.pid", ["started"]),
        ("/case", INTACT + ": > postmaster.pid; : > postmaster.opts", ["started"]),
        ("/case", INTACT + ": > pg_hba.conf; head -c 9 /dev/zero > pg_ident.conf", ["started"]),
        ("/case", INTACT + ": > postgresql.conf; : > postgresql.auto.conf", ["started"]),
        (
            "/case",
            INTACT
            + "head -c 88 /dev/zero > postgresql.auto.conf; head -c 3 /dev/zero > PG_VERSION",
            [
                "started",
                "postgres: /case/PG_VERSION: should name a version (got none). Taken from base/1.",
                "postgres: /case/postgresql.auto.conf: should be text (got NULs). Set aside as "
                "/case/postgresql.auto.conf.damaged.",
            ],
        ),
        (
            "/case",
            INTACT + "head -c 8192 /dev/zero > global/pg_control",
            [
                "postgres: /case: should hold a database that starts (got an error, see above). "
                "Correct what it names; if files are damaged, restore a backup: "
                'docs/operations.md, "Data".'
            ],
        ),
        (
            "/small",
            INTACT + "cat /dev/zero > full 2>/dev/null",
            [f"postgres: /small: should have 20 MB of room (got 0 MB). {NO_ROOM}"],
        ),
        (
            "/ro",
            "",
            [
                "postgres: /ro: should be writable by user 70 (got: Read-only file system). Mount "
                "it for writing, and make that user its owner."
            ],
        ),
    ],
)
def test_postgres_starts_or_says_last_what_to_do(
    postgres: Container, folder: str, damage: str, said: list[str]
) -> None:
    assert run_in(postgres, START_POSTGRES % damage, PGDATA=folder) == [*said, "ended with 0"]


def test_nginx_serves_by_the_candidate_until_the_next_up(production_stack: PortalStack) -> None:
    nginx = production_stack.container("nginx")
    [volume] = [mount["Name"] for mount in nginx.attrs["Mounts"]]
    production_stack.client.containers.run(
        production_stack.image_id("nginx"),
        ["-c", ": > /files/live/peers.conf; : > /files/live/server.crt"],
        entrypoint=["sh"],
        user="0",
        volumes={volume: {"bind": "/files", "mode": "rw"}},
        remove=True,
    )
    nginx.restart()
    wait_until_healthy(production_stack, 60)
    assert (
        "nginx: /etc/nginx/portal/live: should be as it was written (got other contents in "
        "peers.conf server.crt). Run `make up`, which writes it again."
    ) in nginx.logs().decode()
    assert production_stack.up(refresh=True)["update"] == 1
    nginx.restart()
    wait_until_healthy(production_stack, 60)
    assert nginx.logs().decode().count("should be as it was written") == 1
