"""The Python packages of an environment, and the Pulumi plugins they need."""
