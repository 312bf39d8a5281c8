"""`make doctor`: what this machine has, and where it came from. Changes nothing."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from toolchain.setup.engine_address import find_engine
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.setup import list_steps
from toolchain.setup.step import Step
from operations.stack_commands import has_state

_STACK_LABEL = "devportal.stack"
_COLLECTIONS = {
    "containers": ("/containers/json?all=1&filters={}", None),
    "networks": ("/networks?filters={}", None),
    "volumes": ("/volumes?filters={}", "Volumes"),
    "images": ("/images/json?filters={}", None),
}
_GIB = 1 << 30

Line = tuple[str, str]


def examine(project: Project) -> Iterator[Line]:
    """Findings as (what, finding), in the order they are told."""
    yield "python", sys.version.split()[0]
    for step in list_steps(project):
        yield step.name, _describe_step(step)
    try:
        engine = EngineApi(find_engine(project.environ))
    except SetupError:
        return
    info = engine.get("/info")
    if info is not None:
        yield from _describe_engine(info)
        yield from _describe_stacks(project, engine)
    yield "free disk, cache", _free(_existing(project.places.cache))


def print_findings(project: Project) -> None:
    """Print the findings as a table."""
    for what, finding in examine(project):
        print(f"{what:20} {finding}")


def _describe_step(step: Step) -> str:
    try:
        return step.find() or "missing; `make setup` gets it"
    except SetupError as error:
        return str(error)


def _describe_engine(info: dict[str, Any]) -> Iterator[Line]:
    options = {option.split(",")[0] for option in info.get("SecurityOptions") or ()}
    yield "storage driver", str(info.get("Driver"))
    yield "user namespaces", "on" if "name=userns" in options else "off"
    yield "rootless", "yes" if "name=rootless" in options else "no"
    root = Path(info.get("DockerRootDir") or "/nowhere")
    if root.is_dir():
        yield "free disk, engine", _free(root)


def _describe_stacks(project: Project, engine: EngineApi) -> Iterator[Line]:
    """What the engine holds of each stack; a stack without a state is a leftover."""
    backend = project.environ.get("PULUMI_BACKEND_URL") or f"file://{project.places.state}"
    for stack, counts in sorted(count_objects(engine).items()):
        held = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        known = not backend.startswith("file://") or has_state(backend, stack)
        yield f"stack {stack}", held if known else f"{held}; left over, its state is gone"


def count_objects(engine: EngineApi) -> dict[str, Counter[str]]:
    """How many containers, networks, volumes and images the engine holds, by stack."""
    counts: dict[str, Counter[str]] = {}
    chosen = quote(json.dumps({"label": [_STACK_LABEL]}))
    for kind, (path, key) in _COLLECTIONS.items():
        answer = engine.get(path.format(chosen)) or {}
        for item in (answer.get(key) if key else answer) or ():
            stack = (item.get("Labels") or {}).get(_STACK_LABEL, "?")
            counts.setdefault(stack, Counter())[kind] += 1
    return counts


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / _GIB:.1f} GiB at {folder}"


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
