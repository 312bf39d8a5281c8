"""The developer portal's infrastructure: settings in, one stack, its outputs out."""

import pulumi

from infra.stack import DevportalStack
from infra.settings.loading import Settings

settings = Settings.load(pulumi.Config(), pulumi.get_stack())
stack = DevportalStack("devportal", settings)

for name, value in stack.outputs.items():
    pulumi.export(name, value)
