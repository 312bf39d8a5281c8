"""HTTP: parse, call one service, return a model."""
