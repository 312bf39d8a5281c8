"""One part of the set-up."""

from typing import Protocol

from toolchain.setup.work import Work


class Step(Protocol):
    """A part that is there, or is made.

    A step never leaves a half-made part where `find` would take it for a whole one.
    """

    @property
    def name(self) -> str:
        """What the part is called."""
        ...

    @property
    def purpose(self) -> str:
        """What `run` does, as an order."""
        ...

    @property
    def after(self) -> tuple[str, ...]:
        """Names of the steps whose parts `run` uses."""
        ...

    def find(self) -> str | None:
        """Say in a few words what is there; None if `run` has something to do."""
        ...

    def run(self, work: Work) -> None:
        """Make the part.

        Raises
        ------
        SetupError
            Raised when the part cannot be had on this machine.
        """
        ...
