"""The API: each route parses a request, calls one service and returns a model."""
