"""A stand-in for the Docker engine of toolchain/images: it remembers calls and builds nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from toolchain.images.errors import ImagesError


@dataclass
class FakeImageEngine:
    """Holds images by name; `failing` names the roles whose builds fail."""

    images: dict[str, str] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    imported_changes: list[str] = field(default_factory=list)
    built: dict[str, dict[str, Mapping[str, str]]] = field(default_factory=dict)
    architecture_name: str = "amd64"

    def architecture(self) -> str:
        return self.architecture_name

    def image_size_bytes(self, name: str) -> int | None:
        return 1_000_000 if name in self.images else None

    def import_root(self, archive: IO[bytes], changes: Sequence[str]) -> str:
        archive.read()
        self.imported_changes = list(changes)
        return "sha256:root"

    def build(
        self,
        role: str,
        context: bytes,
        *,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> str:
        self.built[role] = {"arguments": arguments, "labels": labels}
        on_line("Step [1/1] FROM base")
        if role in self.failing:
            raise ImagesError(f"{role}: should build (got: exit code: 1).")
        return f"sha256:{role}"

    def tag(self, identity: str, name: str) -> None:
        self.images[name] = identity
