"""Versions of everything the set-up installs that requirements.txt does not pin."""

PULUMI_CLI = "3.256.0"
"""Built or downloaded; `pulumi_module/go.mod` names the same version."""

PULUMI_CLI_MINIMUM = (3, 200)
"""Oldest CLI found on PATH that is taken instead: it restores the salt from the state."""

DOCKER_PLUGIN = "5.2.0"
"""As `pulumi-docker` in requirements.txt, whose programs ask for exactly this plugin."""

GO_MINIMUM = (1, 21)
"""Oldest Go that fetches by itself the newer Go that `pulumi_module/go.mod` asks for."""

ENGINE_MINIMUM = (20, 10)
"""Oldest Docker Engine the stacks are tested on; BuildKit is part of it."""
