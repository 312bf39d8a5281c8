"""Pages for people: they call the services that the API calls."""
