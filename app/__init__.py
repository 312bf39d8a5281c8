"""The developer portal: handlers call services, services call storage."""

__version__ = "0.1.0"
