"""The few BuildKit messages the provider reads and answers, described by their field numbers.

Sources: moby/buildkit `api/services/control/control.proto`, `session/auth/auth.proto`,
`session/secrets/secrets.proto` and `grpc/health/v1/health.proto`. Fields that are not used are
left out: protobuf skips what it does not know.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

_PACKAGE = "devportal.buildkit"
_Field = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _Field.LABEL_OPTIONAL, _Field.LABEL_REPEATED
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "bool": _Field.TYPE_BOOL,
    "int64": _Field.TYPE_INT64,
}
_TIME = "google.protobuf.Timestamp"

# Message -> field -> (number, type, how many).
_MESSAGES: dict[str, dict[str, tuple[int, str, int]]] = {
    "Vertex": {
        "digest": (1, "string", _ONE),
        "name": (3, "string", _ONE),
        "cached": (4, "bool", _ONE),
        "started": (5, _TIME, _ONE),
        "completed": (6, _TIME, _ONE),
        "error": (7, "string", _ONE),
    },
    "VertexStatus": {
        "id": (1, "string", _ONE),
        "vertex": (2, "string", _ONE),
        "name": (3, "string", _ONE),
        "current": (4, "int64", _ONE),
        "total": (5, "int64", _ONE),
        "completed": (8, _TIME, _ONE),
    },
    "VertexLog": {
        "vertex": (1, "string", _ONE),
        "stream": (3, "int64", _ONE),
        "msg": (4, "bytes", _ONE),
    },
    "VertexWarning": {
        "vertex": (1, "string", _ONE),
        "short": (3, "bytes", _ONE),
    },
    "StatusResponse": {
        "vertexes": (1, f"{_PACKAGE}.Vertex", _MANY),
        "statuses": (2, f"{_PACKAGE}.VertexStatus", _MANY),
        "logs": (3, f"{_PACKAGE}.VertexLog", _MANY),
        "warnings": (4, f"{_PACKAGE}.VertexWarning", _MANY),
    },
    "CredentialsRequest": {"host": (1, "string", _ONE)},
    "CredentialsResponse": {"username": (1, "string", _ONE), "secret": (2, "string", _ONE)},
    "GetSecretRequest": {"id": (1, "string", _ONE)},
    "GetSecretResponse": {"data": (1, "bytes", _ONE)},
    "HealthCheckResponse": {"status": (1, "int64", _ONE)},
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="devportal/buildkit.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[timestamp_pb2.DESCRIPTOR.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind, label) in fields.items():
            field = message.field.add(name=field_name, number=number, label=label)
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{kind}"
    return file


def _message_classes() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(_describe())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _message_classes()

StatusResponse: Any = _CLASSES["StatusResponse"]
Vertex: Any = _CLASSES["Vertex"]
CredentialsRequest: Any = _CLASSES["CredentialsRequest"]
CredentialsResponse: Any = _CLASSES["CredentialsResponse"]
GetSecretRequest: Any = _CLASSES["GetSecretRequest"]
GetSecretResponse: Any = _CLASSES["GetSecretResponse"]
HealthCheckResponse: Any = _CLASSES["HealthCheckResponse"]
