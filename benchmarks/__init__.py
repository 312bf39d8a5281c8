"""Side by side with Docker Compose: the same images, the same health checks, one run."""
