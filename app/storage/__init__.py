"""PostgreSQL and Redis; no rules."""
