"""Builds images through the engine's BuildKit."""
