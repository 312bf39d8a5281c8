"""Swagger 2.0 as OpenAPI 3.0, so that one form is read, compared and shown."""

from collections.abc import Iterator
from typing import Any

from app.openapi.operations import METHODS
from app.openapi.references import resolve
from app.openapi.swagger_schemas import Json, convert_schema, moved, rewritten, value_schema

_OPENAPI = "3.0.3"
_ANY = "*/*"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_PARAMETER_KEYS = ("name", "in", "description", "required", "allowEmptyValue")
_STYLES: dict[str, Json] = {
    "csv": {"explode": False},
    "multi": {"explode": True},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "pipes": {"style": "pipeDelimited", "explode": False},
}
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}
_KEPT = ("info", "tags", "externalDocs", "security")


def is_swagger(document: Json) -> bool:
    """Whether it says that it is Swagger 2.0."""
    return str(document.get("swagger")) == "2.0"


def to_openapi(document: Json) -> Json:
    """The same API in OpenAPI 3.0; `document` has the structure of Swagger 2.0."""
    return _Conversion(document).convert()


class _Conversion:
    def __init__(self, document: Json) -> None:
        self._document = document

    def convert(self) -> Json:
        found = self._document
        converted: Json = {"openapi": _OPENAPI, **{k: found[k] for k in _KEPT if k in found}}
        converted |= _extensions(found)
        if servers := list(self._servers()):
            converted["servers"] = servers
        paths = found.get("paths") or {}
        converted["paths"] = {path: self._path(path, item) for path, item in paths.items()}
        if components := self._components():
            converted["components"] = components
        return converted

    def _servers(self) -> Iterator[Json]:
        host, base = self._document.get("host"), self._document.get("basePath") or ""
        if host:
            for scheme in self._document.get("schemes") or ["https"]:
                yield {"url": f"{scheme}://{host}{base.rstrip('/')}"}
        elif base:
            yield {"url": base}

    def _components(self) -> Json:
        found = self._document
        parameters = found.get("parameters") or {}
        parts: Json = {
            "schemas": {k: convert_schema(v) for k, v in (found.get("definitions") or {}).items()},
            "parameters": {
                name: _parameter(item)
                for name, item in parameters.items()
                # Those of bodies stand in each operation.
                if item.get("in") not in ("body", "formData")
            },
            "responses": {
                name: self._response(item, self._types({}, "produces"))
                for name, item in (found.get("responses") or {}).items()
            },
            "securitySchemes": {
                name: _scheme(item)
                for name, item in (found.get("securityDefinitions") or {}).items()
            },
        }
        return {name: part for name, part in parts.items() if part}

    def _path(self, path: str, item: Any) -> Any:
        if path.startswith("x-") or "$ref" in item:
            return item
        shared = item.get("parameters") or []
        own, _ = self._split(shared)
        converted: Json = {**_extensions(item), **({"parameters": own} if own else {})}
        for method in METHODS:
            if isinstance(operation := item.get(method), dict):
                converted[method] = self._operation(operation, shared)
        return converted

    def _operation(self, operation: Json, shared: list[Json]) -> Json:
        taken = {"parameters", "responses", "consumes", "produces", "schemes"}
        converted = {name: part for name, part in operation.items() if name not in taken}
        given = operation.get("parameters") or []
        parameters, bodies = self._split(given)
        _, shared_bodies = self._split(shared)
        if parameters:
            converted["parameters"] = parameters
        named = {body["name"] for body in bodies}
        bodies += [body for body in shared_bodies if body["name"] not in named]
        if bodies:
            converted["requestBody"] = self._body(bodies, self._types(operation, "consumes"))
        produced = self._types(operation, "produces")
        converted["responses"] = {
            str(status): item if str(status).startswith("x-") else self._response(item, produced)
            for status, item in operation["responses"].items()
        }
        return converted

    def _types(self, operation: Json, name: str) -> list[str]:
        return operation.get(name) or self._document.get(name) or []

    def _split(self, parameters: list[Json]) -> tuple[list[Json], list[Json]]:
        """Parameters that stay such, and those that are of the body."""
        kept: list[Json] = []
        bodies: list[Json] = []
        for given in parameters:
            whole = resolve(self._document, given)
            if whole.get("in") in ("body", "formData"):
                bodies.append(whole)
            else:
                kept.append(moved(given) if "$ref" in given else _parameter(given))
        return kept, bodies

    def _body(self, bodies: list[Json], consumed: list[str]) -> Json:
        whole = next((body for body in bodies if body["in"] == "body"), None)
        if whole is not None:
            content = {"schema": convert_schema(whole.get("schema") or {})}
            said = {k: whole[k] for k in ("description", "required") if k in whole}
            said |= _extensions(whole)
            return {**said, "content": dict.fromkeys(consumed or [_ANY], content)}
        has_file = any(body.get("type") == "file" for body in bodies)
        kinds = [kind for kind in consumed if kind in _FORMS] or [_FORMS[0 if has_file else 1]]
        required = [body["name"] for body in bodies if body.get("required")]
        schema = {
            "type": "object",
            "properties": {body["name"]: _form_field(body) for body in bodies},
            **({"required": required} if required else {}),
        }
        must = {"required": True} if required else {}
        return {**must, "content": {kind: {"schema": schema} for kind in kinds}}

    def _response(self, response: Json, produced: list[str]) -> Json:
        if "$ref" in response:
            return moved(response)
        converted: Json = {"description": response.get("description", ""), **_extensions(response)}
        if headers := response.get("headers"):
            converted["headers"] = {name: _header(item) for name, item in headers.items()}
        examples = response.get("examples") or {}
        if "schema" in response:
            schema = convert_schema(response["schema"])
            kinds = [*dict.fromkeys([*(produced or [_ANY]), *examples])]
            converted["content"] = {kind: {"schema": schema} for kind in kinds}
        for kind, example in examples.items():
            converted.setdefault("content", {}).setdefault(kind, {})["example"] = example
        return converted


def _extensions(item: Json) -> Json:
    return {name: rewritten(part) for name, part in item.items() if name.startswith("x-")}


def _parameter(given: Json) -> Json:
    converted = {name: given[name] for name in _PARAMETER_KEYS if name in given}
    converted |= _extensions(given) | {"schema": value_schema(given, without="description")}
    if given.get("type") == "array":
        style = _STYLES.get(given.get("collectionFormat", "csv"), {})
        # Anywhere but in a query, values can only stand beside each other.
        converted |= style if given.get("in") == "query" else {}
    return converted


def _form_field(given: Json) -> Json:
    return value_schema(given) | _extensions({k: v for k, v in given.items() if k != "x-nullable"})


def _header(given: Json) -> Json:
    said = {"description": given["description"]} if "description" in given else {}
    return {**said, **_extensions(given), "schema": value_schema(given, without="description")}


def _scheme(given: Json) -> Json:
    kept = {k: v for k, v in given.items() if k == "description" or k.startswith("x-")}
    if given["type"] == "basic":
        return {**kept, "type": "http", "scheme": "basic"}
    if given["type"] == "apiKey":
        return {**kept, "type": "apiKey", "name": given["name"], "in": given["in"]}
    urls = {k: given[k] for k in ("authorizationUrl", "tokenUrl") if k in given}
    flow = {**urls, "scopes": given.get("scopes") or {}}
    return {**kept, "type": "oauth2", "flows": {_FLOWS[given["flow"]]: flow}}
