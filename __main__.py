"""The developer portal's infrastructure: settings in, one stack, its outputs out."""

import gc

import pulumi

from infra.cluster.nodes import require_nodes
from infra.cluster.stack import SwarmStack
from infra.engine.provider import program_engine
from infra.errors import UserError
from infra.preflight import require_room
from infra.settings import ClusterMode, Settings
from infra.stack import DevportalStack

# What is imported stays: without this each collection, and the interpreter's end, walks it (0.2 s).
gc.freeze()

try:
    settings = Settings.load(pulumi.Config(), pulumi.get_stack())
    engine = program_engine()
    stack: DevportalStack | SwarmStack
    if settings.cluster.mode is ClusterMode.SWARM:
        require_nodes(engine)
        stack = SwarmStack("devportal", settings, engine)
    else:
        require_room(settings, engine)
        stack = DevportalStack("devportal", settings, engine)
except UserError as error:
    # Pulumi shows any other exception with its traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in stack.outputs.items():
    pulumi.export(name, value)
