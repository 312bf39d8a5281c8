"""`make doctor`: what this machine has, and where it came from. Changes nothing.

Runs in the program's Python where that is there, on the stack's engine; else in the machine's, on
the engine of the environment.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infra.errors import UserError
from infra.naming import PROJECT, STACK_LABEL
from operations.terminal import print_table
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.project import Project
from toolchain.setup.setup import list_steps
from toolchain.setup.steps.docker_engine import DockerEngine

_GIB = 1 << 30
_LABEL_OF_IMAGE = f'{{{{index .Config.Labels "{STACK_LABEL}"}}}}'
_LISTED = {
    "containers": ("ps", "--all"),
    "networks": ("network", "ls"),
    "volumes": ("volume", "ls"),
}


def print_findings(project: Project) -> int:
    """Print a line for each part of the machine; 1 if `make up` would fail for one of them."""
    docker = DockerCli(project.environ)
    findings = [("python", sys.version.split()[0])]
    refused: set[str] = set()
    for step in list_steps(project):
        try:
            finding = None if refused & set(step.after) else step.find()
            if finding is None and isinstance(step, DockerEngine):
                step.refuse_elsewhere()
        except UserError as error:
            finding = str(error).removeprefix(f"{step.name}: ")
            refused.add(step.name)
        unknown = f"not known without the {step.after[0]}" if refused & set(step.after) else ""
        findings.append((step.name, finding or unknown or "missing; `make up` gets it"))
    findings += [*_describe_engine(docker), *_describe_stacks(project, docker)]
    findings.append(("free disk, cache", _free(_existing(project.places.cache))))
    print_table(*findings)
    return 1 if refused else 0


def _describe_engine(docker: DockerCli) -> Iterator[tuple[str, str]]:
    info = docker.info()
    if not info:
        return
    options = {option.split(",")[0] for option in info.get("SecurityOptions") or ()}
    yield "storage driver", str(info.get("Driver"))
    yield "user namespaces", "on" if "name=userns" in options else "off"
    yield "rootless", "yes" if "name=rootless" in options else "no"
    root = Path(info.get("DockerRootDir") or "/nowhere")
    if docker.address().startswith("unix://") and root.is_dir():
        yield "free disk, engine", _free(root)


def _describe_stacks(project: Project, docker: DockerCli) -> Iterator[tuple[str, str]]:
    """What the engine holds of each stack, and whether its state is among this user's."""
    backend = project.environ.get("PULUMI_BACKEND_URL") or f"file://{project.places.state}"
    folder = Path(backend.removeprefix("file://")) / ".pulumi" / "stacks" / PROJECT
    for stack, counts in sorted(count_objects(docker).items()):
        held = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        is_known = not backend.startswith("file://") or (folder / f"{stack}.json").exists()
        elsewhere = "" if is_known else f"; its state is not under {folder}"
        yield f"stack {stack}", held + elsewhere


def count_objects(docker: DockerCli) -> dict[str, Counter[str]]:
    """How many containers, networks, volumes and images the engine holds, by stack."""
    chosen = ("--filter", f"label={STACK_LABEL}")
    label = f'{{{{.Label "{STACK_LABEL}"}}}}'
    answers = {
        kind: docker.ask(*command, *chosen, "--format", label) for kind, command in _LISTED.items()
    }
    if images := (docker.ask("images", "--quiet", *chosen) or "").split():
        answers["images"] = docker.ask("inspect", "--format", _LABEL_OF_IMAGE, *sorted(set(images)))
    counts: dict[str, Counter[str]] = {}
    for kind, answer in answers.items():
        for stack in (answer or "").split():
            counts.setdefault(stack, Counter())[kind] += 1
    return counts


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / _GIB:.1f} GiB at {folder}"


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
