"""Turns the end of a failed build into one message that says what to change."""

import re

from plugins.docker.build.progress import BuildProgress, Step
from plugins.docker.errors import ResourceError

_EXIT_CODE = re.compile(r"(?:exit code: |non-zero code: )(\d+)")
# Steps that only fetch an image: BuildKit's own wordings, and the classic builder's FROM.
_IMAGE_STEP = re.compile(
    r"^(?:\[[^]]*\] )?(?:load metadata for|resolve image config for|FROM) (\S+)"
)
_SECRET = re.compile(r"secret|no active session", re.IGNORECASE)
_SOLVER_PREFIX = re.compile(
    r"^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |"
    r"rpc error: code = \w+ desc = )+"
)


class BuildError(ResourceError):
    """A build failed; the message names the image, the step, the reason and the last output."""


def build_error(image_name: str, dockerfile: str, progress: BuildProgress) -> BuildError:
    """Error for a build that the engine ended."""
    step = progress.failed_step()
    reason = _SOLVER_PREFIX.sub("", progress.error)
    return BuildError(f"image '{image_name}': {_explanation(dockerfile, step, reason)}")


def _explanation(dockerfile: str, step: Step | None, reason: str) -> str:
    if step is None:
        return f"{dockerfile} should build (got: {reason}). Correct it."
    image = _IMAGE_STEP.match(step.name)
    if image:
        return _missing_image(image[1], dockerfile, reason)
    if not _EXIT_CODE.search(reason) and _SECRET.search(reason):
        return (
            f'Dockerfile step should find its secret (got: {reason} in "{step.instruction}"). '
            "Only docker.RemoteImage hands secrets to a build, as build.secrets."
        )
    code = _EXIT_CODE.search(reason) or _EXIT_CODE.search(step.error)
    got = f"exit code {code[1]}" if code else (_SOLVER_PREFIX.sub("", step.error) or reason)
    return (
        f'Dockerfile step should succeed (got: {got} in "{step.instruction}"). '
        f"Correct {dockerfile} or what it copies.{_last_lines(step)}"
    )


def _missing_image(image: str, dockerfile: str, reason: str) -> str:
    return (
        f"image {image} of {dockerfile} should be present locally or in a registry "
        f"(got: {reason}). Correct the line that names it, or make the image available."
    )


def _last_lines(step: Step) -> str:
    if not step.lines:
        return ""
    return "\nLast output lines:\n" + "\n".join(f"  {line}" for line in step.lines)
