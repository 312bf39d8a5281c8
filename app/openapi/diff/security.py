"""What a client must prove, before and after."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.changes import Change
from app.openapi.operations import Operation
from app.openapi.references import resolve

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
        for part in _MEANING if name in after else ():
            was, is_now = scheme.get(part), after[name].get(part)
            if was != is_now:
                message = f"{part} was {was or 'not set'} and is {is_now or 'not set'}"
                yield Change("security-scheme-changed", True, f"security scheme '{name}'", message)


def _schemes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = (document.get("components") or {}).get("securitySchemes") or {}
    resolved = {name: resolve(document, scheme) for name, scheme in found.items()}
    return {name: scheme for name, scheme in resolved.items() if isinstance(scheme, dict)}
