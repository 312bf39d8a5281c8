"""Programs on a PATH of a test's own, each a shell script that also notes how it was called."""

from pathlib import Path


class FakePrograms:
    """A folder of programs; `calls` are the command lines, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / ".calls"
        folder.mkdir(parents=True)

    @property
    def path(self) -> str:
        """PATH with the fakes first; without the machine's own docker, go and pulumi."""
        return f"{self.folder}:/usr/bin:/bin"

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    def put(self, name: str, script: str = "exit 0") -> Path:
        program = self.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._log}\n{script}\n')
        program.chmod(0o755)
        return program
