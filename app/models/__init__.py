"""Shapes that cross the API."""
