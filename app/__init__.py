"""The developer portal: routes and pages call services, services call storage."""
