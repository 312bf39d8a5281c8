"""Physical names and ownership labels: the only place that knows how they are made."""

from dataclasses import dataclass

PROJECT = "devportal"
STACK_LABEL = "devportal.stack"
ROLE_LABEL = "devportal.role"
SPEC_LABEL = "devportal.spec"


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
