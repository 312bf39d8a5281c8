"""What a client must prove, before and after."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.changes import Change
from app.openapi.operations import Operation
from app.openapi.references import resolve
from app.outline import mapping

Requirement = dict[str, list[str]]

_MEANING = ("type", "in", "name", "scheme", "openIdConnectUrl")


def compare_security(old: Operation, new: Operation) -> Iterator[Change]:
    """Differences in who may call an operation."""
    before, after = old.security or [{}], new.security or [{}]
    for requirement in before:
        if not any(_is_enough(requirement, other) for other in after):
            message = f"{_name(requirement)} is no longer enough"
            yield Change("security-narrowed", True, "security", message)
    for requirement in after:
        if not any(_is_enough(requirement, other) for other in before):
            message = f"{_name(requirement)} is now enough"
            yield Change("security-widened", False, "security", message)


def _is_enough(given: Requirement, wanted: Requirement) -> bool:
    return all(
        scheme in given and set(scopes) <= set(given[scheme]) for scheme, scopes in wanted.items()
    )


def _name(requirement: Requirement) -> str:
    parts = [
        f"'{scheme}'" + (f" with {', '.join(scopes)}" if scopes else "")
        for scheme, scopes in requirement.items()
    ]
    return " and ".join(parts) or "no authentication"


def compare_schemes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Differences in how the same scheme works; one that is gone shows at the operations."""
    before, after = _schemes(old), _schemes(new)
    for name, scheme in before.items():
        for message in _changes(scheme, after[name]) if name in after else ():
            yield Change("security-scheme-changed", True, f"security scheme '{name}'", message)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for part in _MEANING:
        was, is_now = old.get(part), new.get(part)
        # HTTP takes these in either case.
        has_no_case = part == "scheme" or (part == "name" and old.get("in") == "header")
        if was != is_now and not (has_no_case and str(was).lower() == str(is_now).lower()):
            yield f"{part} was {was or 'not set'} and is {is_now or 'not set'}"
    for flow in sorted(mapping(old.get("flows")).keys() - mapping(new.get("flows")).keys()):
        if old.get("type") == new.get("type") and not flow.startswith("x-"):
            yield f"the flow {flow} was removed"


def _schemes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = (document.get("components") or {}).get("securitySchemes") or {}
    resolved = {name: resolve(document, scheme) for name, scheme in found.items()}
    return {name: scheme for name, scheme in resolved.items() if isinstance(scheme, dict)}
