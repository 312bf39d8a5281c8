"""Whether a document is OpenAPI, with every mistake named by its place."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar, Never

from jsonschema_path import SchemaPath
from openapi_spec_validator import (
    OpenAPIV2SpecValidator,
    OpenAPIV30SpecValidator,
    OpenAPIV31SpecValidator,
)
from openapi_spec_validator.validation.keywords import (
    KeywordValidator,
    OpenAPIV30SchemaValidator,
    OpenAPIV31SchemaValidator,
    OperationValidator,
    SchemaValidator,
)
from referencing.exceptions import Unresolvable

from app.lines import shorten
from app.openapi.operations import operations
from app.openapi.reading import MAX_MISTAKES, DocumentError, read_document
from app.openapi.references import reference_mistakes
from app.openapi.swagger import is_swagger, to_openapi
from app.outline import mapping

_MAX_WALKED_BYTES = 1024 * 1024
"""The validator's walk through all schemas takes some seconds a megabyte."""


class _EachOnce(SchemaValidator):
    """Without the search for required properties that no schema describes.

    JSON Schema allows them, and the search walks a schema as often as others lead to it: it does
    not end where each of 26 schemas names the next one twice.
    """

    def __call__(
        self, schema: SchemaPath, require_properties: bool = False, meta_checked: bool = False
    ) -> Iterator[Any]:
        try:
            yield from super().__call__(schema, require_properties=False, meta_checked=meta_checked)
        except Unresolvable as error:
            # The last that it reads is the default, where `$ref` is a name like any other.
            default = mapping(schema.read_value()).get("default")
            if mapping(default).get("$ref") != error.ref:
                raise

    def _collect_properties(self, schema: SchemaPath) -> set[str]:
        return set()


class _Schemas30(_EachOnce, OpenAPIV30SchemaValidator):
    pass


class _Schemas31(_EachOnce, OpenAPIV31SchemaValidator):
    pass


class _AnyDefault(KeywordValidator):
    """Whether a schema would take its default is not looked at: that follows every reference."""

    def __call__(self, *_arguments: object) -> Iterator[Any]:
        return iter(())


class _WithBody(OperationValidator):
    """With the schemas of what is sent, which OpenAPI 3.1 takes for anything and nothing reads."""

    def __call__(
        self, url: str, name: str, operation: SchemaPath, path_parameters: SchemaPath | None
    ) -> Iterator[Any]:
        yield from super().__call__(url, name, operation, path_parameters)
        if "requestBody" in operation:
            check_content: Any = self.registry["content"]
            yield from check_content(operation / "requestBody" / "content")


class _Validator30(OpenAPIV30SpecValidator):
    keyword_validators: ClassVar = {
        **OpenAPIV30SpecValidator.keyword_validators,
        "schema": _Schemas30,
        "default": _AnyDefault,
    }


class _Validator31(OpenAPIV31SpecValidator):
    keyword_validators: ClassVar = {
        **OpenAPIV31SpecValidator.keyword_validators,
        "schema": _Schemas31,
        "default": _AnyDefault,
        "operation": _WithBody,
    }


_VALIDATORS: dict[str, Any] = {"3.0": _Validator30, "3.1": _Validator31}


class _FetchNothing(dict[str, Any]):
    """For every scheme: the library itself opens what it has no handler for, files as well."""

    def __contains__(self, _scheme: object) -> bool:
        return True

    def __getitem__(self, _scheme: str) -> Any:
        return _refuse_to_fetch


def _refuse_to_fetch(address: str) -> Never:
    raise PermissionError(f"{address} is outside of the document")


def read_checked(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document as it was given, and as OpenAPI 3: the same one unless it is Swagger 2.0.

    Raises
    ------
    DocumentError
        Raised with the mistakes of a document that is neither.
    """
    given = read_document(content)
    return given, as_openapi(given, size_bytes=len(content))


def as_openapi(given: dict[str, Any], *, size_bytes: int) -> dict[str, Any]:
    """The document as OpenAPI 3, checked: the same one unless it is Swagger 2.0.

    Raises
    ------
    DocumentError
        Raised with the mistakes of a document that is neither.
    """
    document = given
    if is_swagger(given):
        check_swagger(given)
        document = to_openapi(given)
    check_document(document, size_bytes=size_bytes)
    return document


def check_swagger(document: dict[str, Any]) -> None:
    """Raise with the mistakes of a document that has not the structure of Swagger 2.0.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its place.
    """
    _raise_any(_structure_mistakes(OpenAPIV2SpecValidator, document))
    _raise_any(reference_mistakes(document))


def check_document(document: dict[str, Any], *, size_bytes: int) -> None:
    """Raise with the mistakes of a document that is not OpenAPI 3.0 or 3.1.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its place.
    """
    version = document.get("openapi")
    validator = _VALIDATORS.get(".".join(str(version).split(".")[:2]))
    if not isinstance(version, str) or validator is None:
        said = "nothing" if version is None else f"'{version}'"
        raise DocumentError([f"openapi: should be 3.0.x or 3.1.x (got {said})"])
    _raise_any(_structure_mistakes(validator, document))
    _raise_any(reference_mistakes(document))
    _raise_any(_operation_mistakes(document))
    if size_bytes <= _MAX_WALKED_BYTES:
        _raise_any(_walk_mistakes(validator, document))


def _raise_any(mistakes: Iterator[str]) -> None:
    if found := list(islice(mistakes, MAX_MISTAKES)):
        raise DocumentError(found)


def _structure_mistakes(validator: Any, document: dict[str, Any]) -> Iterator[str]:
    for error in validator.schema_validator.iter_errors(document):
        yield _describe(error)


def _walk_mistakes(validator: Any, document: dict[str, Any]) -> Iterator[str]:
    path = SchemaPath.from_dict(document, handlers=_FetchNothing())
    try:
        for error in validator(path).iter_errors():
            yield _describe(error)
    except Unresolvable as error:
        yield f"$ref: should lead to something that exists (got '{shorten(error.ref, 200)}')"


def _describe(error: Any) -> str:
    place = "/".join(map(str, getattr(error, "instance_path", None) or getattr(error, "path", ())))
    said = str(error.message).partition("\n\nFailed validating")[0]
    return f"{place or 'the document'}: {said[:300]}"


def _operation_mistakes(document: dict[str, Any]) -> Iterator[str]:
    found = list(operations(document))
    names = Counter(operation.name for operation in found if operation.name)
    for name, count in names.items():
        if count > 1:
            yield f"operationId: should be used once (got '{name}' {count} times)"
    for operation in found:
        if nameless := [one for one in operation.parameters.values() if "name" not in one]:
            got = f"got {shorten(json.dumps(nameless[0]), 100)}"
            yield f"{operation.title}: should refer to parameters where it has them ({got})"
        declared = {name for where, name in operation.parameters if where == "path"}
        for name in sorted(set(operation.path_order()) - declared):
            yield f"{operation.title}: should declare the path parameter '{name}'"
