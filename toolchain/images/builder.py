"""Builds what is missing: the common layer first, then the stand-ins side by side."""

import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.images.context import make_context
from toolchain.images.debian_root import DebianRoot
from toolchain.images.engine import Engine
from toolchain.images.errors import ImagesError
from toolchain.images.machine import proxy_arguments
from toolchain.images.mirrors import Mirrors, find_mirrors
from toolchain.images.recipes import COMMON_LAYER, COMMON_ROLE, LABEL, Recipe

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Builder:
    """Builds images on one engine.

    Parameters
    ----------
    work
        Scratch folder, removed when the common layer is done.
    lock
        File descriptor that commands inherit.
    say
        Gets the lines that tell how far it is.
    show
        Gets the output of build steps.
    """

    engine: Engine
    work: Path
    lock: int
    say: Callable[[str], None]
    show: Callable[[str], None]

    def build(self, recipes: Sequence[Recipe], *, afresh: bool = False) -> None:
        """Build every recipe whose image is missing; all of them with `afresh`.

        Raises
        ------
        ImagesError
            Raised with the first failure, after the other builds have ended.
        """
        wanted = [recipe for recipe in recipes if afresh or not self._has(recipe.name)]
        for recipe in recipes:
            if recipe not in wanted:
                self.say(f"{recipe.role}: ready ({recipe.name})")
        if not wanted:
            return
        if afresh or not self._has(COMMON_LAYER):
            self._build_common_layer()
        with ThreadPoolExecutor(len(wanted)) as pool:
            builds = [pool.submit(self._build_one, recipe) for recipe in wanted]
        for build in builds:
            build.result()

    def _has(self, name: str) -> bool:
        return self.engine.image_size_bytes(name) is not None

    def _build_common_layer(self) -> None:
        self._check_architecture()
        mirrors = find_mirrors(os.environ)
        root = DebianRoot(self.work, self.lock, lambda line: self.say(f"{COMMON_ROLE}: {line}"))
        self.say(f"{COMMON_ROLE}: unpacking packages from {_hide_credential(mirrors)}")
        started = time.monotonic()
        root.make(mirrors)
        with root.archive() as archive:
            identity = self.engine.import_root(
                archive, [f"ENV PATH={_PATH}", 'CMD ["sh"]', f"LABEL {LABEL}={COMMON_ROLE}"]
            )
        self._finish(identity, COMMON_ROLE, COMMON_LAYER, started)
        shutil.rmtree(self.work, ignore_errors=True)

    def _build_one(self, recipe: Recipe) -> None:
        self.say(f"{recipe.role}: building {recipe.name}")
        started = time.monotonic()
        identity = self.engine.build(
            recipe.role,
            make_context(recipe.folder),
            arguments={"BASE_IMAGE": COMMON_LAYER, **proxy_arguments(os.environ)},
            labels={LABEL: recipe.role},
            on_line=lambda line: self.show(f"{recipe.role} | {line}"),
        )
        self._finish(identity, recipe.role, recipe.name, started)

    def _finish(self, identity: str, role: str, name: str, started: float) -> None:
        self.engine.tag(identity, name)
        seconds = time.monotonic() - started
        megabytes = (self.engine.image_size_bytes(name) or 0) / 1e6
        self.say(f"{role}: done in {seconds:.1f} s ({name}, {megabytes:.0f} MB)")

    def _check_architecture(self) -> None:
        own = _ARCHITECTURES.get(platform.machine(), platform.machine())
        if (wanted := self.engine.architecture()) != own:
            raise ImagesError(
                f"docker engine: should have this machine's architecture, {own} (got {wanted}). "
                "Build on a machine like the engine's, and carry the images over with "
                "`docker save` and `docker load`."
            )


def _hide_credential(mirrors: Mirrors) -> str:
    scheme, _, rest = mirrors.main.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
