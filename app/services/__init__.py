"""Rules and transactions; no HTTP."""
