"""The developer portal's infrastructure: settings in, one stack, its outputs out."""

import pulumi

from infra.engine.provider import program_engine
from infra.settings import Settings
from infra.stack import DevportalStack

settings = Settings.load(pulumi.Config(), pulumi.get_stack())
stack = DevportalStack("devportal", settings, program_engine())

for name, value in stack.outputs.items():
    pulumi.export(name, value)
