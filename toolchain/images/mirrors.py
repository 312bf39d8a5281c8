"""Which Debian mirrors the machine's own apt uses; no host name is written down here."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from toolchain.images.errors import ImagesError

SUITE = "bookworm"
MIRROR_VARIABLE = "DEVPORTAL_DEBIAN_MIRROR"
SECURITY_VARIABLE = "DEVPORTAL_DEBIAN_SECURITY_MIRROR"
_TARGETS = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
_SUITES = "(?:bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)"


@dataclass(frozen=True)
class Mirrors:
    """Where Debian packages come from.

    Parameters
    ----------
    main
        Root of the archive: it holds `dists/bookworm`.
    security
        Root of the security archive; empty where the machine has none.
    """

    main: str
    security: str = ""

    def sources_list(self) -> str:
        """Text of /etc/apt/sources.list."""
        lines = [f"deb {self.main} {SUITE} main", f"deb {self.main} {SUITE}-updates main"]
        if self.security:
            lines.append(f"deb {self.security} {SUITE}-security main")
        return "\n".join(lines) + "\n"


def find_mirrors(environ: Mapping[str, str]) -> Mirrors:
    """The mirrors the environment names, else those of the machine's apt.

    Raises
    ------
    ImagesError
        Raised when neither names a Debian archive.
    """
    if named := environ.get(MIRROR_VARIABLE):
        return Mirrors(named, environ.get(SECURITY_VARIABLE, ""))
    mirrors = parse_targets(_ask_apt())
    if mirrors is None:
        raise ImagesError(
            "apt: should know a Debian mirror (got none in its sources). "
            f"Set {MIRROR_VARIABLE} to the address that holds dists/{SUITE}, "
            f"and {SECURITY_VARIABLE} to that of {SUITE}-security."
        )
    return mirrors


def parse_targets(text: str) -> Mirrors | None:
    """Mirrors in lines of `URI release component`, as `apt-get indextargets` gives them."""
    main = security = ""
    for line in text.splitlines():
        uri, _, rest = line.partition(" ")
        release, _, component = rest.partition(" ")
        if component != "main" or not uri.startswith(("http://", "https://")):
            continue
        if re.fullmatch(_SUITES, release):
            main = main or uri
        elif re.fullmatch(f"{_SUITES}-security", release):
            security = security or uri
    return Mirrors(main, security) if main else None


def _ask_apt() -> str:
    try:
        done = subprocess.run(
            ["apt-get", "indextargets", "--format", _TARGETS], capture_output=True, text=True
        )
    except OSError:
        return ""
    return done.stdout
