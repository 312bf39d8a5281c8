"""Builds what is missing: the common layer first, then the stand-ins side by side."""

import platform
import re
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.images.debian_root import DebianRoot
from toolchain.images.machine import find_mirrors, proxy_variables
from toolchain.images.recipes import COMMON_LAYER, Recipe
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.versions import parse_version
from toolchain.setup.work import Work

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LABEL = "devportal.base"
_BUILDKIT_BY_DEFAULT = (23, 0)
_PREPARE = "prepare"
"""Script of a recipe that adds files of this machine to a copy of its folder."""


@dataclass(frozen=True)
class ImageBuilder:
    """Builds images on the engine that the project's environment names."""

    project: Project
    work: Work

    def build(self, recipes: Sequence[Recipe], *, afresh: bool = False) -> None:
        """Build every recipe whose image is missing; all of them with `afresh`.

        Raises SetupError with the first failure, after the other builds have ended.
        """
        wanted = [recipe for recipe in recipes if afresh or not self._has(recipe.name)]
        if wanted and (afresh or not self._has(COMMON_LAYER)):
            self._build_common_layer()
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

    def _build_common_layer(self) -> None:
        self._check_architecture()
        mirrors = find_mirrors(self.project.environ)
        self.work.say(f"debian: unpacking packages from {mirrors.shown}")
        folder = self.project.places.cache / "base-images"
        archive = DebianRoot(folder, self.work).make(mirrors, self.project.environ)
        changes = (f"ENV PATH={_PATH}", 'CMD ["sh"]', f"LABEL {_LABEL}=debian")
        options = [word for change in changes for word in ("--change", change)]
        self._run("import", *options, str(archive), COMMON_LAYER)
        shutil.rmtree(folder, ignore_errors=True)

    def _build_one(self, recipe: Recipe) -> None:
        self.work.say(f"{recipe.role}: building {recipe.name}")
        proxies = proxy_variables(self.project.environ)
        # The host's network where that may be: what this machine reaches, a build reaches, a proxy
        # on its loopback too. In a user namespace no container may use the host's.
        network = "default" if self._docker.maps_users() else "host"
        arguments = [f"BASE_IMAGE={COMMON_LAYER}", *(f"{k}={v}" for k, v in proxies.items())]
        options = [word for argument in arguments for word in ("--build-arg", argument)]
        options += ["--label", f"{_LABEL}={recipe.role}", "--network", network]
        with tempfile.TemporaryDirectory(prefix="devportal-") as name:
            context = Path(name) / "context"
            self._prepare(recipe, context)
            self._run("build", *options, "--tag", recipe.name, str(context), role=recipe.role)
        self.work.say(f"{recipe.role}: done")

    def _prepare(self, recipe: Recipe, context: Path) -> None:
        """Copy the recipe with modes that are the same in every clone."""
        shutil.copytree(recipe.folder, context)
        for path in context.rglob("*"):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        if (context / _PREPARE).exists():
            self.work.run([str(context / _PREPARE), str(context)], environ=self.project.environ)

    def _run(self, *arguments: str, role: str = "debian") -> None:
        environ = dict(self.project.environ)
        # Another builder of buildx would neither see the engine's images nor keep its own there.
        environ["BUILDX_BUILDER"] = "default"
        if parse_version(self._docker.ask("--version")) < _BUILDKIT_BY_DEFAULT:
            environ["DOCKER_BUILDKIT"] = "1"
        self.work.run(
            ["docker", *arguments], environ=environ, on_line=lambda line: self._show(role, line)
        )

    def _show(self, role: str, line: str) -> None:
        """Show the step that begins, as BuildKit and the older builder print it."""
        if step := re.search(r"(?:^Step \S+ :|^#\d+ \[[^]]+\]) (.*)", line):
            self.work.show(f"{role}: {step[1]}"[:60])

    def _check_architecture(self) -> None:
        own = _ARCHITECTURES.get(platform.machine(), platform.machine())
        engine = self._docker.ask("version", "--format", "{{.Server.Arch}}") or "no answer"
        if engine != own:
            raise SetupError(
                f"docker engine: should have this machine's architecture, {own} (got {engine}). "
                "Build on a machine like the engine's, and carry the images over with "
                "`docker save` and `docker load`."
            )
