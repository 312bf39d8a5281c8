"""docker.Container."""
