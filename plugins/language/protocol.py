"""Messages and services of the engine's protocol that every run needs."""

from plugins.language.bare_sdk import bare_sdk

with bare_sdk():
    from pulumi._version import _VERSION as SDK_VERSION
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

__all__ = ["SDK_VERSION", "language_pb2", "language_pb2_grpc", "plugin_pb2"]
