"""`make doctor`: what this machine has, where it came from, and what is wrong. Changes nothing.

Runs in the program's Python where that is there, on the stack's engine; else in the machine's, on
the engine of the environment, and looks at no stack.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.errors import UserError
from infra.naming import PROJECT, STACK_LABEL
from operations.backend import states_folder
from operations.terminal import print_table
from toolchain.setup.docker_cli import DockerCli, security_options
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


@dataclass(frozen=True)
class Finding:
    """What is wrong, why it matters, and the command that mends it."""

    what: str
    why: str
    command: str


def print_findings(
    project: Project,
    find: Callable[[bool], Iterable[Finding]] = lambda can_reach_engine: (),
    *,
    subject: str = "this machine",
    as_json: bool = False,
) -> int:
    """Print a line for each part of the machine, then what is wrong; 1 if anything is.

    `find` looks for more, in the `subject`; its argument is whether the machine's engine can be
    reached. Where it cannot, that is among the findings already.
    """
    parts, findings = _look_at_machine(project)
    can_reach_engine = all(not finding.what.startswith(DockerEngine.name) for finding in findings)
    findings += find(can_reach_engine)
    if as_json:
        shown = {"machine": dict(parts), "findings": [asdict(finding) for finding in findings]}
        print(json.dumps(shown, indent=2))
    else:
        print_table(*parts)
        show_findings(findings)
        if not findings:
            print(f"\n{subject}: nothing found")
    return 1 if findings else 0


def show_findings(findings: Sequence[Finding]) -> None:
    """Print each as a paragraph."""
    for finding in findings:
        print(f"\n{finding.what}\n    why  {finding.why}\n    run  {finding.command}")


def _look_at_machine(project: Project) -> tuple[list[tuple[str, str]], list[Finding]]:
    """A line for each part, and a finding for each that would make `make up` fail."""
    docker = DockerCli(project.environ)
    parts = [("python", sys.version.split()[0])]
    refused: dict[str, Finding] = {}
    for step in list_steps(project):
        known, unsure = None, refused.keys() & set(step.after)
        try:
            known = None if unsure else step.find()
            if known is None and isinstance(step, DockerEngine):
                step.refuse_elsewhere()
        except UserError as error:
            why = "`make up` needs it, and cannot get it by itself"
            refused[step.name] = Finding(str(error), why, "make setup")
            known = "see below"
        unknown = f"not known without the {step.after[0]}" if unsure else ""
        parts.append((step.name, known or unknown or "missing; `make up` gets it"))
    parts += [*_describe_engine(docker), *_describe_stacks(project, docker)]
    parts.append(("free disk, cache", _free(_existing(project.places.cache))))
    return parts, list(refused.values())


def _describe_engine(docker: DockerCli) -> Iterator[tuple[str, str]]:
    info = docker.info()
    if not info:
        return
    options = security_options(info)
    yield "storage driver", str(info.get("Driver"))
    yield "user namespaces", "on" if "userns" in options else "off"
    yield "rootless", "yes" if "rootless" in options else "no"
    root = Path(info.get("DockerRootDir") or "/nowhere")
    if docker.address().startswith("unix://") and root.is_dir():
        yield "free disk, engine", _free(root)


def _describe_stacks(project: Project, docker: DockerCli) -> Iterator[tuple[str, str]]:
    """What the engine holds of each stack, and whether its state is among this user's."""
    backend = project.environ.get("PULUMI_BACKEND_URL") or project.places.backend_url
    states = states_folder(backend, project.root)
    folder = states and states / "stacks" / PROJECT
    for stack, counts in sorted(count_objects(docker).items()):
        held = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        is_known = folder is None or (folder / f"{stack}.json").exists()
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
