"""The stack as Pulumi components, in layers that import downwards only.

`stack` is the one place where components meet; `services` are the containers of the stack,
`resources` what they are made of, `engine` our own (dynamic) resources and the engine's address,
`settings` what a stack can be configured with.
"""
