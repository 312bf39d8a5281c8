"""What is to be said of the documents of a file: mistakes, and what does not come in as it is."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.lines import shorten

Model = TypeVar("Model", bound=BaseModel)


class Notes:
    """What is to be said of one document."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.mistakes: list[str] = []
        self._warnings: list[str] = []
        self._others: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What does not come in as it is."""
        others = [self._at("", f"not kept: {', '.join(self._others)}")] if self._others else []
        return [*self._warnings, *others]

    def refuse(self, place: str, rule: str) -> None:
        """The file cannot be imported."""
        self.mistakes.append(self._at(place, rule))

    def warn(self, place: str, what: str) -> None:
        """Something does not come in as it is."""
        self._warnings.append(self._at(place, what))

    def warn_of_others(self, given: Mapping[str, Any], place: str, known: Collection[str]) -> None:
        """The other fields are not kept."""
        self._others += [f"{place}{name}" for name in given if name not in known]

    def mapping(self, value: Any, place: str) -> dict[str, Any]:
        """The value, or an empty mapping in place of something else."""
        if isinstance(value, dict):
            return value
        self.refuse(place, f"should be a mapping (got {show(value)})")
        return {}

    def refuse_as(self, error: ValidationError, places: Mapping[str, str]) -> None:
        """Every mistake that a model has found."""
        for item in error.errors():
            parts = [str(part) for part in item["loc"] if part != "[key]"]
            first = places.get(parts[0], f"metadata.{parts[0]}")
            place = first + "".join(f"[{p}]" if p.isdecimal() else f".{p}" for p in parts[1:])
            self.refuse(place, f"{_rule(item)} (got {show(item['input'])})")

    def _at(self, place: str, said: str) -> str:
        return ": ".join(filter(None, (f"document {self.number}", place, said)))


def validated(
    model: type[Model], values: Mapping[str, Any], places: Mapping[str, str], notes: Notes
) -> Model | None:
    """The model; None if the values have mistakes."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        notes.refuse_as(error, places)
        return None


def _rule(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    if item["type"] == "string_pattern_mismatch":
        return f"should look like {item['ctx']['pattern']}"
    said: str = item["msg"]
    return said.replace("Input should be", "should be").replace("String should", "should")


def show(value: Any) -> str:
    """A value as messages quote it."""
    if value is None:
        return "nothing"
    return shorten(repr(value), 100)
