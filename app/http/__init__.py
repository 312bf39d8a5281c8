"""HTTP: senders, rules of access, problem details, and the routes of the API."""
