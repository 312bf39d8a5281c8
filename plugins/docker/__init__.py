"""A resource provider for Pulumi's docker package, over the Docker SDK."""
