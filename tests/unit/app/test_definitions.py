"""AsyncAPI, GraphQL and Protocol Buffers: recognised, judged, and read for pages."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.definitions.kinds import ApiKind
from app.definitions.worker import _answer, _check, _outline, _part
from app.outline import Answer, Body, Operation, Row
from tests.support.api_documents import ASYNCAPI, ASYNCAPI_2, GRAPHQL, PROTO

_OPERATION = TypeAdapter(Operation)


def check(content: str, kind: ApiKind | None = None) -> tuple[dict[str, Any], bytes]:
    return _answer(_check, content.encode(), kind)


def part(content: str, of: str, name: str) -> dict[str, Any]:
    head, document = check(content)
    wanted = f"{json.dumps([of, name])}\n".encode()
    return json.loads(_part(wanted + document, head["kind"])[1])


@pytest.mark.parametrize(
    ("content", "head", "operations", "schemas"),
    [
        (
            ASYNCAPI,
            ("asyncapi", "3.0.0", "Lights", "1.2.0"),
            [
                "measuring: receive lights/{id}/measured (A light has measured)",
                "Operations: channel lights/off ()",
            ],
            ["Measurement"],
        ),
        (ASYNCAPI_2, ("asyncapi", "2.6.0", "Old", "1"), ["Operations: publish a/b ()"], []),
        (
            GRAPHQL,
            ("graphql", "", "", ""),
            ["Queries: query order(id, lines) (One order)", "Mutations: mutation pay(input) ()"],
            ["Payment", "Node", "Order", "Line", "Payed", "State", "Date"],
        ),
        (
            PROTO,
            ("grpc", "proto3", "shop.orders.v1", ""),
            [
                "Orders: unary Get ((GetRequest) returns (Order): Finds one)",
                "Orders: stream Watch ((stream GetRequest) returns "
                "(stream shop.orders.v1.Order))",
            ],
            ["GetRequest", "Order", "Order.Line", "State"],
        ),
        ('edition = "2023"; message A {}', ("grpc", "edition 2023", "", ""), [], ["A"]),
        ("message A { required int32 b = 1; }", ("grpc", "proto2", "", ""), [], ["A"]),
        ("extend type Query { a: Int }", ("graphql", "", "", ""), ["Queries: query a ()"], []),
    ],
)  # fmt: skip
def test_document_of_every_kind_is_known_by_its_content(
    content: str, head: tuple[str, ...], operations: list[str], schemas: list[str]
) -> None:
    found, document = check(content)
    assert tuple(found[name] for name in ("kind", "language", "title", "version")) == head
    index = json.loads(_outline(document, found["kind"])[1])
    shown = [
        f"{one['tag']}: {one['method']} {one['path']} ({one['summary']})"
        for one in index["operations"]
    ]
    assert (shown, index["schemas"]) == (operations, schemas)
    assert all(name in found["summary"] for name in schemas)
    if found["kind"] != "asyncapi":
        assert document.decode() == content


def operation_of(content: str, name: str) -> Operation:
    return _OPERATION.validate_python(part(content, "operation", name)["operation"])


def test_operation_of_asyncapi_shows_its_messages() -> None:
    found = operation_of(ASYNCAPI, "receive-onmeasured")
    assert found.parameters == [Row("id", "string", True, "<p>Of the light</p>\n", "channel")]
    headers = Body("headers", "object", "", [Row("trace", "string", False, "")])
    payload = Body("application/json", "Measurement", "Measurement", [])
    assert found.answers == [Answer("measurement", "<p>Measurement</p>\n", [payload, headers])]
    old = operation_of(ASYNCAPI_2, "publish-a-b").answers
    assert [(one.status, one.bodies[0].type) for one in old] == [("one", "string"), ("two", "any")]


def test_message_of_asyncapi_has_the_name_that_its_reference_escapes() -> None:
    named = json.loads(ASYNCAPI_2)
    message = {"$ref": "#/components/messages/Page%3Ca~1b%3E"}
    named["channels"]["a/b"]["publish"]["message"] = message
    named["components"] = {"messages": {"Page<a/b>": {"payload": {}}}}
    [found] = operation_of(json.dumps(named), "publish-a-b").answers
    assert found.status == "Page<a/b>"


def test_field_of_graphql_shows_its_arguments_and_result() -> None:
    found = operation_of(GRAPHQL, "query-order")
    assert found.parameters == [
        Row("id", "ID!", True, ""),
        Row("lines", "[Int!]! = [1]", False, ""),
    ]
    assert found.answers == [Answer("", "", [Body("", "Order", "Order", [])])]
    assert (found.deprecated, found.description) == (
        True,
        "<p>One order. There may be none.</p>\n"
        "<p><strong>Deprecated</strong>: Use <code>find</code>.</p>\n",
    )


def test_method_of_grpc_shows_request_and_response() -> None:
    get, watch = operation_of(PROTO, "orders-get"), operation_of(PROTO, "orders-watch")
    request = Body("", "GetRequest", "GetRequest", [Row("id", "string", False, ID, "= 1")])
    assert get.bodies == [request]
    assert (watch.deprecated, watch.bodies[0].media_type) == (True, "stream")
    [answer] = watch.answers
    assert (answer.bodies[0].media_type, answer.bodies[0].schema) == ("stream", "Order")


ID = "<p>The <em>id</em>.</p>\n"


@pytest.mark.parametrize(
    ("content", "name", "sort", "rows"),
    [
        (GRAPHQL, "Payment", "input", ["order ID! required", "amount Float = 1.5"]),
        (
            GRAPHQL,
            "Order",
            "type of Node",
            ["id ID!", "state State >State", "lines(first) [Line] >Line", "late Boolean"],
        ),
        (GRAPHQL, "Line", "union", ["Order  >Order", "Payed  >Payed"]),
        (GRAPHQL, "State", "enum", ["OPEN ", "PAID "]),
        (
            PROTO,
            "Order",
            "message",
            [
                "id string = 1",
                "lines repeated Line = 2 >Order.Line",
                "by_name map<string, Line> = 3 >Order.Line",
                "card string = 4, one of payment",
                "cash bool = 5, one of payment",
                "at optional google.protobuf.Timestamp = 6",
            ],
        ),
        (PROTO, "Order.Line", "message", ["state State = 1 >State"]),
        (PROTO, "State", "enum", ["OPEN  = 0", "PAID  = -1"]),
        (ASYNCAPI, "Measurement", "", ["lumens integer required"]),
    ],
)
def test_type_shows_its_parts(content: str, name: str, sort: str, rows: list[str]) -> None:
    found = part(content, "schema", name)
    assert (found["exists"], found["sort"]) == (True, sort)
    shown = [
        f"{row['name']} {row['type']}"
        + (f" {row['place']}" if row["place"] else "")
        + " required" * row["required"]
        + (f" >{row['schema']}" if row["schema"] else "")
        for row in found["rows"]
    ]
    assert shown == rows


@pytest.mark.parametrize("content", [ASYNCAPI, GRAPHQL, PROTO])
@pytest.mark.parametrize("of", ["operation", "schema"])
def test_part_that_is_not_there_does_not_exist(content: str, of: str) -> None:
    assert part(content, of, "none")["exists"] is False


ASYNC = "asyncapi: 3.0.0\ninfo: {title: A, version: '1'}\n"
SYNTAX = 'syntax = "proto3"; '
DEEP = 100_000
BAD: list[tuple[ApiKind | None, str, str]] = [
    ("asyncapi", "openapi: 3.0.0", "asyncapi: should be 2.x or 3.x (got nothing)"),
    ("openapi", ASYNC, "openapi: should be 3.0.x or 3.1.x (got nothing)"),
    (None, "asyncapi: '4'", "asyncapi: should be 2.x or 3.x (got '4')"),
    (None, "asyncapi: 2.0.0\ninfo: 1", "info.title: should be text (got nothing); "
     "info.version: should be text (got nothing); channels: should be an object (got nothing)"),
    (None, f"{ASYNC}servers: {{a: {{host: 1}}}}", "servers.a.host: should be text (got 1); "
     "servers.a.protocol: should be text (got nothing)"),
    (None, f"{ASYNC}operations: {{a: {{action: go}}}}",
     "operations.a.action: should be send or receive (got 'go'); "
     "operations.a.channel: should refer to a channel (got nothing)"),
    (None, f"{ASYNC}channels: {{a: {{$ref: 'https://169.254.169.254/x'}}}}",
     "#/channels/a/$ref: should lead to a place in this document, like '#/components/schemas/Order'"
     " (got 'https://169.254.169.254/x'). Bundle what it refers to."),
    (None, f"{ASYNC}channels: [", "line 4, column 1: should be YAML (got: did not find expected "
     "node content)"),
    (None, "type Query { a: }", "line 1, column 17: should be GraphQL (got: Expected Name, found "
     "'}'.)"),
    (None, "type Query { a: Moon }", "line 1, column 17: should be GraphQL (got: Unknown type "
     "'Moon'.)"),
    (None, "type Query { a: Int, a: Int }\ntype Query { b: Int }",
     "line 1, column 14: should be GraphQL (got: Field 'Query.a' can only be defined once.); "
     "line 1, column 6: should be GraphQL (got: There can be only one type named 'Query'.)"),
    ("graphql", "{ a }", "line 1, column 1: should define types, as a server has them (got: "
     "operation)"),
    (None, "fragment A on B { ...A }", "line 1, column 1: should define types, as a server has "
     "them (got: fragment)"),
    (None, "type A { b: Int }\n\x00", "the document should have no NUL and no unpaired surrogate"),
    (None, f"{SYNTAX}message A {{ string b = ; }}", "line 1, column 43: should be Protocol Buffers "
     "(got: missing INT_LITERAL at ';')"),
    (None, f"{SYNTAX}message A {{", "line 1, column 31: should be Protocol Buffers (got: "
     "mismatched input '<EOF>')"),
    (None, f"{SYNTAX}message A {{ B b = 1; int32 c = 1; int32 d = 0; }}",
     "A: should use the number 1 once (got 2); "
     "A.b: should be of a type that the document has (got 'B'); "
     "A.d: should have a number from 1 to 536870911 (got 0)"),
    (None, f"{SYNTAX}message A {{}} message A {{}}", "A: should be declared once"),
    (None, "service A { rpc B(C) returns (C); }", "; ".join(["A.B: should be of a type that the "
     "document has (got 'C')"] * 2)),
    ("grpc", SYNTAX, "the document should declare services or messages"),
    (None, f"type A {{ a: {'[' * DEEP}Int{']' * DEEP} }}", "line 1: should be nested at most 100 "
     "deep"),
    (None, "\nmessage A {" * DEEP + "}" * DEEP, "line 102: should be nested at most 100 deep"),
    (None, f"{ASYNC}x-a: {'[' * DEEP}{']' * DEEP}", "line 3, column 1005: should be YAML "
     "(got: exceeded maximum nesting depth)"),
    (None, f"query {{ {' '.join(f'a{n}: b' for n in range(1000))} }}", "line 1, column 1: should "
     "define types, as a server has them (got: operation)"),
    ("grpc", "{}", "line 1, column 1: should be Protocol Buffers (got: mismatched input '{')"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "said"), BAD, ids=range(len(BAD)))
def test_mistake_is_named_with_its_place(kind: ApiKind | None, content: str, said: str) -> None:
    assert "; ".join(check(content, kind)[0]["mistakes"]) == said
