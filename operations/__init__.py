"""What the make targets run; standard library only, but for what needs the Docker SDK."""
