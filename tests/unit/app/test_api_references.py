"""References of API documents: each leads to a place in its document, and nothing is fetched."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.openapi.check import check_document
from app.openapi.reading import DocumentError
from tests.support.api_documents import Json, answering, document, operation, shape

ELSEWHERE = {"$ref": "file:///etc/hosts"}


def mistakes(given: Json) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        check_document(given, size_bytes=0)
    return refused.value.mistakes


@pytest.mark.parametrize("name", ["default", "example", "enum", "const"])
@pytest.mark.parametrize("place", ["responses", "schemas", "properties", "patternProperties"])
def test_entry_that_is_named_like_a_value_refers_as_others_do(place: str, name: str) -> None:
    entry = {name: ELSEWHERE}
    given = {
        "responses": document(components={"responses": entry}),
        "schemas": document(schemas=entry),
        "properties": answering(shape(**entry)),
        "patternProperties": answering({"patternProperties": entry}),
    }
    [mistake] = mistakes(given[place])
    assert f"/{place}/{name}/$ref: should lead to a place in this document" in mistake


def test_response_of_an_operation_by_default_refers_as_others_do() -> None:
    [mistake] = mistakes(document(operation(responses={"default": ELSEWHERE})))
    assert "/responses/default/$ref: should lead to a place in this document" in mistake


@pytest.mark.parametrize("target", ["#Pet", "#components/schemas/Pet", "#/components/schemas/Car"])
def test_reference_to_what_is_not_there_is_a_mistake(target: str) -> None:
    [mistake] = mistakes(answering({"$ref": target}, schemas={"Pet": {}}))
    assert mistake.endswith(f"/schema/$ref: should lead to something that exists (got '{target}')")


@pytest.mark.parametrize("openapi", ["3.0.3", "3.1.0"])
def test_default_may_have_an_entry_that_is_named_like_a_reference(openapi: str) -> None:
    schema = {"type": "object", "default": ELSEWHERE, "example": ELSEWHERE}
    body = {"content": {"application/json": {"schema": schema}}}
    given = document(operation(requestBody=body)) | {"openapi": openapi}
    check_document(given, size_bytes=0)


def test_walk_opens_nothing_that_the_check_of_references_may_have_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(_document: Any) -> Iterator[str]:
        return iter(())

    monkeypatch.setattr("app.openapi.check.reference_mistakes", miss)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"type": "what another file says"}))
    [mistake] = mistakes(answering({"$ref": other.as_uri()}))
    assert mistake == f"$ref: should lead to something that exists (got '{other.as_uri()}')"
