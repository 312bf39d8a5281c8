"""The portal as processes of this machine, and its database as the schema's owner sees it."""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import httpx
import psycopg

from infra.resources.build_context import ROOT
from tests.support.waiting import wait_until_ok

Environment = Mapping[str, str]
"""Of a portal, with the URLs of its stores."""
Row = tuple[object, ...]


def start(environment: Environment, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def run_portal(environment: Environment, *commands: str) -> str:
    """Run `python -m app` commands that should succeed; what they print."""
    code, said = finish(start(environment, "app", *commands))
    assert code == 0, said
    return said


def run_alembic(environment: Environment, *arguments: str) -> str:
    code, said = finish(start(environment, "alembic", "-c", "migrations/alembic.ini", *arguments))
    assert code == 0, said
    return said


def ask(environment: Environment, query: str) -> list[Row]:
    """Rows, as the schema's owner sees them."""
    with psycopg.connect(environment["MIGRATION_DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def tables(environment: Environment) -> set[object]:
    return {
        row[0]
        for row in ask(environment, "select tablename from pg_tables where schemaname = 'public'")
    }


@contextmanager
def serve(
    environment: Environment, *, keep_log: bool = False
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The portal's server on a free port, and its URL; its log is on stdout if it is kept."""
    command = ("uvicorn", "app.main:app", "--port", "0", "--no-access-log")
    server = start(environment, *command)
    try:
        url = _read_url(server)
        with httpx.Client(base_url=url, timeout=30) as client:
            wait_until_ok(partial(client.get, "/health"))
        if not keep_log:
            # A pipe that nobody reads gets full, and that stops the server.
            for pipe in (server.stdout, server.stderr):
                threading.Thread(target=deque, args=(pipe, 0), daemon=True).start()
        yield server, url
    finally:
        server.kill()
        server.wait()


def _read_url(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    for line in server.stdout:
        _, found, after = str(json.loads(line)["message"]).partition("running on ")
        if found:
            return after.split()[0]
    raise AssertionError("the server has not said where it listens")


def answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/livez")
    except httpx.TransportError:
        return False
    return True
