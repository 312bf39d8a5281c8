"""Functions of the docker package: they look something up and change nothing."""
