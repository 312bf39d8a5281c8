"""Small API documents, and what the comparison finds between two of them."""

from typing import Any

from app.openapi.diff import diff_documents

Json = dict[str, Any]
TEXT: Json = {"type": "string"}


def document(
    paths: Json | None = None, *, schemas: Json | None = None, version: str = "3.1.0", **more: Any
) -> Json:
    info = {"title": "Orders", "version": "1"}
    components = {"schemas": schemas or {}, **more.pop("components", {})}
    document = {"openapi": version, "info": info, "paths": paths or {}, "components": components}
    return {**document, **more}


def operation(**parts: Any) -> Json:
    return {"/orders": {"post": {"responses": {"204": {"description": "done"}}, **parts}}}


def sending(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(requestBody={"content": content}), **more)


def answering(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(responses={"200": {"description": "", "content": content}}), **more)


def large_yaml(*, operations: int, schemas: int) -> str:
    """YAML of about 8 kB for an operation or schema, as large APIs publish it."""

    def of_schema(number: int) -> str:
        fields = "".join(
            f"        field_{index}_url:\n          type: string\n          format: uri\n"
            f"          description: Where part {index} of {number} is found, if it is there.\n"
            f"          example: https://api.example.com/repos/octocat/{number}/{index}\n"
            for index in range(40)
        )
        return f"    Schema{number}:\n      type: object\n      properties:\n{fields}"

    def of_operation(number: int) -> str:
        examples = "".join(
            f"                  field_{index}_url: https://api.example.com/repos/{number}/{index}\n"
            for index in range(100)
        )
        return (
            f"  /repos/{{owner}}/things{number}:\n    get:\n      operationId: things/{number}\n"
            f"      tags: [tag{number % 40}]\n      parameters:\n"
            "      - {name: owner, in: path, required: true, schema: {type: string}}\n"
            "      responses:\n        '200':\n          description: A thing\n"
            "          content:\n            application/json:\n              schema:\n"
            f"                $ref: '#/components/schemas/Schema{number % schemas}'\n"
            f"              example:\n{examples}"
        )

    return "".join(
        (
            "openapi: 3.0.3\ninfo: {title: Large, version: '1'}\npaths:\n",
            *map(of_operation, range(operations)),
            "components:\n  schemas:\n",
            *map(of_schema, range(schemas)),
        )
    )


def compare(old: Json, new: Json) -> list[tuple[str, str]]:
    """Place of each change, and what it is: `breaking rule: message` or `safe rule: message`."""
    return [
        (
            (change.where if kind == "document" else f"{name} {change.where}").strip(),
            f"{'breaking' if change.breaking else 'safe'} {change.rule}: {change.message}",
        )
        for (kind, name), changes in diff_documents(old, new).items()
        for change in changes
    ]


def shape(**properties: Json) -> Json:
    """An object; a property with `must` is required."""
    required = [name for name, schema in properties.items() if "must" in schema]
    plain = {
        name: {key: value for key, value in schema.items() if key != "must"}
        for name, schema in properties.items()
    }
    return {"type": "object", "properties": plain, "required": required}
