"""Small API documents, and what the comparison finds between two of them."""

from typing import Any

from app.openapi.diff import diff_documents

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
ASYNCAPI = """asyncapi: 3.0.0
info: {title: Lights, version: 1.2.0, description: Street *lights*}
servers: {prod: {host: 'broker.example.com:8883', protocol: mqtts}}
channels:
  measured:
    address: lights/{id}/measured
    parameters: {id: {description: Of the light}}
    messages: {measurement: {$ref: '#/components/messages/measurement'}}
  unused: {address: lights/off}
operations:
  onMeasured:
    action: receive
    summary: A light has measured
    tags: [{name: measuring}]
    channel: {$ref: '#/channels/measured'}
components:
  messages:
    measurement:
      title: Measurement
      contentType: application/json
      payload: {$ref: '#/components/schemas/Measurement'}
      headers: {type: object, properties: {trace: {type: string}}}
  schemas:
    Measurement: {type: object, required: [lumens], properties: {lumens: {type: integer}}}
"""
ASYNCAPI_2 = """{"asyncapi": "2.6.0", "info": {"title": "Old", "version": "1"},
"channels": {"a/b": {"publish": {"message": {"oneOf": [{"name": "one",
"payload": {"type": "string"}}, {"name": "two", "payload": {}}]}}}}}"""
GRAPHQL = '''# The shop's.
"""Everything *about* the shop."""
schema { query: Query, mutation: Writes }
type Query {
  "One order. There may be none."
  order(id: ID!, lines: [Int!]! = [1]): Order @deprecated(reason: "Use `find`.")
}
type Writes { pay(input: Payment!): Order! }
input Payment { order: ID!, amount: Float = 1.5 }
interface Node { id: ID! }
type Order implements Node @key(fields: "id") { id: ID!, state: State, lines(first: Int): [Line] }
union Line = Order | Payed
type Payed { at: Date }
enum State { OPEN, "It is *paid*." PAID @deprecated }
scalar Date
extend type Order { late: Boolean }
'''
PROTO = """// Copyright
syntax = "proto3";
package shop.orders.v1;
import "google/protobuf/timestamp.proto";
// Takes orders.
service Orders {
  // Finds one. Or none.
  rpc Get(GetRequest) returns (Order);
  rpc Watch(stream GetRequest) returns (stream shop.orders.v1.Order) { option deprecated = true; }
}
message GetRequest { string id = 1; /* The *id*. */ }
message Order {
  string id = 1 [deprecated = true];
  repeated Line lines = 2;
  map<string, Line> by_name = 3;
  oneof payment { string card = 4; bool cash = 5; }
  optional google.protobuf.Timestamp at = 6;
  message Line { State state = 1; }
}
enum State { OPEN = 0; PAID = -1; }
"""


def document(
    paths: Json | None = None, *, schemas: Json | None = None, version: str = "3.1.0", **more: Any
) -> Json:
    info = {"title": "Orders", "version": "1"}
    components = {"schemas": schemas or {}, **more.pop("components", {})}
    document = {"openapi": version, "info": info, "paths": paths or {}, "components": components}
    return {**document, **more}


def named(name: str) -> Json:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(**parts: Any) -> Json:
    return {"/orders": {"post": {"responses": {"204": {"description": "done"}}, **parts}}}


def sending(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(requestBody={"content": content}), **more)


def answering(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(responses={"200": {"description": "", "content": content}}), **more)


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
