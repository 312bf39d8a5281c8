"""The project's own Python: found and filled by pip, uv or poetry."""
