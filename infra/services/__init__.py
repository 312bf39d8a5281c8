"""One component for each service of the stack.

A component gets its Args, never the whole settings, and does not import another service: what one
needs of another, `infra.stack` passes on.
"""
