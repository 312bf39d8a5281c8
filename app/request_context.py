"""The request that the running code belongs to: the HTTP layer sets it, logs and audit read it."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
client_address: ContextVar[str] = ContextVar("client_address", default="")
"""The client's IP address; empty outside of a request, and where it is unknown."""
