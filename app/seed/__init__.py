"""First data: the administrator, and in development an example catalogue with people."""
