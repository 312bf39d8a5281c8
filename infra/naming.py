"""Physical names and ownership labels: the only place that knows how they are made."""

from dataclasses import dataclass

PROJECT = "devportal"
STACK_LABEL = "devportal.stack"
ROLE_LABEL = "devportal.role"
SPEC_LABEL = "devportal.spec"


def container_labels(stack: str, role: str | None = None) -> list[str]:
    """What the engine selects a stack's own containers by.

    Its images have the first two as well, and a container that somebody runs from one inherits
    them; none but the stack's has a specification.
    """
    chosen = [f"{STACK_LABEL}={stack}", SPEC_LABEL]
    return [*chosen, f"{ROLE_LABEL}={role}"] if role else chosen


@dataclass(frozen=True)
class Naming:
    """Names of one stack's objects on the engine, so that stacks never share one."""

    stack: str

    def physical(self, role: str, number: int | None = None) -> str:
        """`devportal-<stack>-<role>[-<number>]`."""
        suffix = "" if number is None else f"-{number}"
        return f"{PROJECT}-{self.stack}-{role}{suffix}"

    def labels(self, role: str) -> dict[str, str]:
        """Labels by which everything of this stack, and nothing else, is selected."""
        return {STACK_LABEL: self.stack, ROLE_LABEL: role}
