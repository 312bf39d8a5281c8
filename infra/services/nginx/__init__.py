"""Everything that nginx serves with: its container, its configuration and how that changes live.

`files` renders the texts, `configuration` is the resource that holds them, `live` puts them in
place under a running server, `component` is the service.
"""
