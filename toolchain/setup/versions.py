"""Versions of everything the set-up installs that requirements.txt does not pin."""

import re

PULUMI_CLI = "3.256.0"
"""Built or downloaded; `toolchain/pulumi/go.mod` names the same version."""
PULUMI_CLI_MINIMUM = (3, 200)
"""Oldest CLI on PATH that is used instead: it restores a lost salt from the state."""
DOCKER_PLUGIN = "5.2.0"
"""As `pulumi-docker` in requirements.txt, whose programs ask for exactly this plugin."""
GO_MINIMUM = (1, 21)
"""Oldest Go that fetches by itself the newer Go that the `go.mod` files ask for."""
ENGINE_MINIMUM = (20, 10)
"""Oldest Docker Engine the stacks are tested on; BuildKit is part of it."""


def parse_version(text: str | None) -> tuple[int, int]:
    """Major and minor number in a version such as `v3.256.0`; (0, 0) of any other text."""
    match = re.search(r"(\d+)\.(\d+)", text or "")
    return (int(match[1]), int(match[2])) if match else (0, 0)
