"""`make bench`: our stacks and Docker Compose side by side, the portal's requests, large documents.

All parts, or those that are named: `make bench ARGS=rolling`.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks import documents, portal, rolling, whole_stack
from benchmarks.compose_tool import find_compose
from benchmarks.harness.machine import tool_environment
from infra.settings.model import IMAGE_SOURCE_VARIABLE

_PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "development": lambda given: whole_stack.measure("development", find_compose(), given.runs),
    "production": lambda given: whole_stack.measure("production", find_compose(), given.runs),
    "portal": lambda given: portal.measure(given.image_source, given.compare),
    "rolling": lambda given: rolling.measure(find_compose(), given.requests),
    "documents": lambda _: documents.measure(),
}


def main() -> int:
    """Run the parts; 1 if a request to our side failed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(_PARTS))
    parser.add_argument("--runs", type=int, default=3, help="counted rounds, after one warm-up")
    parser.add_argument(
        "--requests", type=int, default=100_000, help="requests during updates, at least"
    )
    parser.add_argument("--compare", help="checkout or URL that the portal is compared with")
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in _PARTS]
    if unknown:
        parser.error(f"part: should be one of {', '.join(_PARTS)} (got {', '.join(unknown)}).")
    given.image_source = tool_environment().get(IMAGE_SOURCE_VARIABLE) or "official"
    passed = [_PARTS[part](given) for part in given.parts or _PARTS]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
