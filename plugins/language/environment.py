"""Environment variables of the processes that the host starts."""

import os
from collections.abc import Mapping
from pathlib import Path


def program_environment(
    virtualenv: Path | None, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return `base` with a virtual environment activated, as its own `activate` does it.

    Parameters
    ----------
    virtualenv
        Its folder; without one, the variables stay as they are, except for gRPC's verbosity.
    base
        The variables to start from; by default the host's own, which are the engine's.
    """
    variables = dict(os.environ if base is None else base)
    # gRPC reports the end of a refused or cancelled run on standard error, as a line of its own
    # source code; the engine has reported it by then.
    variables.setdefault("GRPC_VERBOSITY", "ERROR")
    if virtualenv is None:
        return variables
    variables.pop("PYTHONHOME", None)
    variables["VIRTUAL_ENV"] = str(virtualenv)
    path = [str(virtualenv / "bin"), variables.get("PATH", "")]
    variables["PATH"] = os.pathsep.join(part for part in path if part)
    return variables
