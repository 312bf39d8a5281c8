"""The targets that print what `up` would do, in place of Pulumi: `make review` and `graph`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from urllib.parse import urlsplit

from infra.errors import UserError
from operations.base_stack import base_stack
from operations.passphrase import explain_failure
from operations.plan import STREAMING, Plan
from operations.review import render
from operations.stack import Stack
from operations.topology import draw


@contextmanager
def reviewing(stack: Stack) -> Iterator[None]:
    """Print why there is no review, too: a pull request shows nothing of the errors beside it."""
    try:
        yield
    except UserError as error:
        _print(Plan(errors=[str(error)]), stack)
        raise


def print_review(stack: Stack, base: str, options: Sequence[str]) -> int:
    """The plan as Markdown, against what runs or what the revision `base` would; Pulumi's code."""
    with base_stack(stack, base) if base else nullcontext(stack) as planned:
        code, plan = _plan(planned, "review", *options)
        # Before the base goes: where that fails, the plan is there all the same.
        _print(plan, stack)
    return code


def _print(plan: Plan, stack: Stack) -> None:
    """Others read it: without the password that the backend's URL may have, and Pulumi tells."""
    text, password = (
        render(plan, stack.name),
        urlsplit(stack.environ["PULUMI_BACKEND_URL"]).password,
    )
    print(text.replace(f":{password}@", ":...@") if password else text, end="")


def print_graph(stack: Stack, options: Sequence[str]) -> int:
    """What would run and how it is connected. Raises UserError when there is no plan."""
    code, plan = _plan(stack, "graph", *options)
    if code:
        raise UserError("\n".join(plan.errors))
    print(draw(plan.after))
    return 0


def _plan(stack: Stack, target: str, *arguments: str) -> tuple[int, Plan]:
    """Pulumi's exit code, and the plan; if it failed, that has a reason."""
    print(f"{target}: asking Pulumi for the plan", file=sys.stderr)
    with stack.with_state_for_a_plan():
        done = stack.run_pulumi(*arguments, **STREAMING)
    plan = Plan.read(done.stdout.splitlines())
    if done.returncode and not (plan.errors or plan.findings):
        explain_failure(stack)
        plan.errors.append(done.stderr.strip())
    return done.returncode, plan
