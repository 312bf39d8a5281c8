"""Builds what is missing: the common layer first, then the stand-ins side by side."""

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.errors import UserError
from toolchain.images.machine import (
    SUITE,
    Mirrors,
    find_mirrors,
    machine_files,
    proxy_variables,
)
from toolchain.images.recipes import COMMON_LAYER, RECIPES, Recipe
from toolchain.setup.docker_cli import DockerCli, security_options
from toolchain.setup.project import Project
from toolchain.setup.versions import parse_version
from toolchain.setup.work import Work

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LABEL = "devportal.base"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_BUILDKIT_BY_DEFAULT = (23, 0)
_PREPARE = "prepare"
"""Script of a recipe that adds files of this machine to a copy of its folder."""
_APT = ("apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=300")
_TOOLS = ("debootstrap", "debian-archive-keyring")
# What no service reads; apt and dpkg do without it too.
_SPARED = (
    "./dev/*",
    "./usr/share/doc/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./var/log/*",
)


@dataclass(frozen=True)
class ImageBuilder:
    """Builds images on the engine that the project's environment names."""

    project: Project
    work: Work

    def build(self, recipes: Sequence[Recipe]) -> None:
        """Build every recipe whose image is missing.

        Raises UserError with the first failure, after the other builds have ended.
        """
        wanted = [recipe for recipe in recipes if not self._has(recipe.name)]
        if wanted and not self._has(COMMON_LAYER):
            self._check_machine()
            self._build_common_layer(find_mirrors(self.project.environ))
        if wanted:
            with ThreadPoolExecutor(len(wanted)) as pool:
                builds = [pool.submit(self._build_one, recipe) for recipe in wanted]
            for build in builds:
                build.result()

    @property
    def _docker(self) -> DockerCli:
        return DockerCli(self.project.environ)

    def _has(self, name: str) -> bool:
        return self._docker.has_images([name])

    def _check_machine(self) -> None:
        own = _ARCHITECTURES.get(platform.machine(), platform.machine())
        engine = self._docker.ask("version", "--format", "{{.Server.Arch}}") or "no answer"
        if engine != own:
            raise UserError(
                f"docker engine: should have this machine's architecture, {own} (got {engine}). "
                "Build on a machine like the engine's, and carry the images over with "
                "`docker save` and `docker load`."
            )
        if os.geteuid() != 0:
            raise UserError(
                f"base images: should be built as root (got user id {os.geteuid()}). "
                "Run `sudo env HOME=$HOME make setup` once; everything else runs as you."
            )

    def _build_common_layer(self, mirrors: Mirrors) -> None:
        """Import a small Debian; what a run has downloaded stays for one that goes on."""
        if not shutil.which("debootstrap"):
            self.work.say("debian: installing debootstrap")
            self._run(*_APT, "update")
            self._run(*_APT, "install", "--no-install-recommends", *_TOOLS)
        self.work.say(f"debian: unpacking packages from {mirrors.shown}")
        folder = self.project.places.cache / "base-images"
        root, packages, archive = (folder / name for name in ("root", "packages", "root.tar"))
        shutil.rmtree(root, ignore_errors=True)
        packages.mkdir(parents=True, exist_ok=True)
        # dpkg's options go in before the first package: less to write, nothing to sync.
        _copy(RECIPES / "debian", root)
        # A mount namespace of its own: killed at any time, it leaves no mount behind.
        options = ("--variant=minbase", "--include=ca-certificates", f"--cache-dir={packages}")
        self._run("unshare", "--mount", "debootstrap", *options, SUITE, str(root), mirrors.main)
        sources = {"etc/apt/sources.list": mirrors.sources_list()}
        _write_files(root, {**sources, **machine_files(self.project.environ)})
        # Without setuid bits.
        options = ("--numeric-owner", "--mode=ug-s", *(f"--exclude={path}" for path in _SPARED))
        self._run("tar", "-C", str(root), *options, "-cf", str(archive), ".")
        changes = (f"ENV PATH={_PATH}", 'CMD ["sh"]', f"LABEL {_LABEL}=debian")
        options = [word for change in changes for word in ("--change", change)]
        self._run("docker", "import", *options, str(archive), COMMON_LAYER)
        shutil.rmtree(folder, ignore_errors=True)

    def _build_one(self, recipe: Recipe) -> None:
        self.work.say(f"{recipe.role}: building {recipe.name}")
        proxies = proxy_variables(self.project.environ)
        # The host's network where that may be: what this machine reaches, a build reaches, a proxy
        # on its loopback too. In a user namespace no container may use the host's.
        network = "default" if "userns" in security_options(self._docker.info()) else "host"
        arguments = [f"BASE_IMAGE={COMMON_LAYER}", *(f"{k}={v}" for k, v in proxies.items())]
        options = [word for argument in arguments for word in ("--build-arg", argument)]
        options += ["--label", f"{_LABEL}={recipe.role}", "--network", network]
        options += ["--tag", recipe.name]
        with tempfile.TemporaryDirectory(prefix="devportal-") as name:
            context = Path(name) / "context"
            self._prepare(recipe, context)
            self._run("docker", "build", *options, str(context), role=recipe.role)
        self.work.say(f"{recipe.role}: done")

    def _prepare(self, recipe: Recipe, context: Path) -> None:
        _copy(recipe.folder, context)
        # Not the copy: what another thread has just started may still hold it open for writing.
        if (prepare := recipe.folder / _PREPARE).exists():
            self.work.run([str(prepare), str(context)], environ=self.project.environ)
            _set_modes(context)

    def _run(self, *command: str, role: str = "debian") -> None:
        environ = {**self.project.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # Another builder of buildx would neither see the engine's images nor keep its own there.
        environ |= {"LC_ALL": "C.UTF-8", "BUILDX_BUILDER": "default"}
        if parse_version(self._docker.ask("--version")) < _BUILDKIT_BY_DEFAULT:
            environ["DOCKER_BUILDKIT"] = "1"
        self.work.run(command, environ=environ, on_line=lambda line: self._show(role, line))

    def _show(self, role: str, line: str) -> None:
        """Show the step that begins, as BuildKit, the older builder and debootstrap print it."""
        if step := re.search(r"(?:^Step \S+ :|^#\d+ \[[^]]+\]|^I:) ?(.*)", line):
            self.work.show(f"{role}: {step[1]}")


def _copy(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target)
    _set_modes(target)


def _set_modes(folder: Path) -> None:
    """Modes that are the same under every umask: other users than root read what lies here."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _write_files(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        for parent in reversed(path.relative_to(root).parents):
            if not (root / parent).exists():
                (root / parent).mkdir()
                (root / parent).chmod(0o755)
        path.write_text(content, errors="surrogateescape")
        path.chmod(0o644)
