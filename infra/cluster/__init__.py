"""The stack on Docker Swarm: services in place of containers, on the nodes of one cluster.

docs/swarm.md says what it needs of the nodes, and what it does not do.
"""
