"""From a Python package's version (PEP 440) to its plugin's (semantic versioning)."""

import re

_VERSION = re.compile(
    r"(?P<release>\d+(?:\.\d+)*)"
    r"(?:(?P<phase>a|b|rc)(?P<phase_number>\d+))?"
    r"(?:\.post(?P<post>\d+))?"
    r"(?:\.dev(?P<dev>\d+))?"
)
_PHASES = {"a": "alpha", "b": "beta", "rc": "rc"}


def plugin_version(package_version: str) -> str | None:
    """Return the version of the plugin that belongs to a package's version.

    The rules are those of Pulumi's own host: at least three numbers, `a1` is `-alpha.1`, and
    `.post1.dev2` is `+post1dev2`. None for a version it cannot be known from (an epoch, a local
    version).
    """
    match = _VERSION.fullmatch(package_version)
    if match is None:
        return None
    numbers = match["release"].split(".")
    numbers += ["0"] * (3 - len(numbers))
    phase = f"-{_PHASES[match['phase']]}.{match['phase_number']}" if match["phase"] else ""
    build = "".join(f"{name}{match[name]}" for name in ("post", "dev") if match[name] is not None)
    return ".".join(numbers) + phase + (f"+{build}" if build else "")
