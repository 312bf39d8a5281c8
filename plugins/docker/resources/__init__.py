"""One module, or folder, per resource type."""
