"""The developer portal's infrastructure: settings in, one Portal, its outputs out."""

import pulumi

from infra.portal import Portal
from infra.settings import Settings

settings = Settings.load(pulumi.Config(), pulumi.get_stack())
portal = Portal("portal", settings)

for name, value in portal.outputs.items():
    pulumi.export(name, value)
