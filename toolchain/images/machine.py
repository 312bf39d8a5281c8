"""What containers need of this machine to reach the same package mirrors.

No host name is written down here: mirrors are those of the machine's own apt, pip and npm.
"""

import configparser
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.processes import ask

SUITE = "bookworm"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
MIRROR_VARIABLE = "DEVPORTAL_DEBIAN_MIRROR"
SECURITY_VARIABLE = "DEVPORTAL_DEBIAN_SECURITY_MIRROR"
_SUITES = "(?:bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)"
_SYSTEM_PIP = Path("/etc/pip.conf")
_OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")
# Debian's, Fedora's and openSUSE's places for the bundle of trusted certificates.
_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
_PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
_APT_KEYS = r"Acquire::(?:https?::Proxy|Check-Valid-Until|Check-Date|Retries)\b"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Mirrors:
    """Roots of the Debian archive and of its security archive; the latter may be empty."""

    main: str
    security: str = ""

    @property
    def shown(self) -> str:
        """The archive without a credential."""
        scheme, _, rest = self.main.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    def sources_list(self) -> str:
        """Text of /etc/apt/sources.list."""
        lines = [f"deb {self.main} {SUITE} main", f"deb {self.main} {SUITE}-updates main"]
        if self.security:
            lines.append(f"deb {self.security} {SUITE}-security main")
        return "\n".join(lines) + "\n"


def find_mirrors(environ: Mapping[str, str]) -> Mirrors:
    """The mirrors that the environment names, else those of apt; raises UserError without any."""
    if named := environ.get(MIRROR_VARIABLE):
        return Mirrors(named, environ.get(SECURITY_VARIABLE, ""))
    wanted = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    targets = ask("apt-get", "indextargets", "--format", wanted, environ=environ)
    mirrors = parse_targets(targets or "")
    if mirrors is None:
        raise UserError(
            "apt: should know a Debian mirror (got none in its sources). "
            f"Set {MIRROR_VARIABLE} to the address that holds dists/{SUITE}, "
            f"and {SECURITY_VARIABLE} to that of {SUITE}-security."
        )
    return mirrors


def parse_targets(text: str) -> Mirrors | None:
    """Mirrors in lines of `URI release component`; None without a Debian archive."""
    main = security = ""
    for line in text.splitlines():
        uri, release, component = [*line.split(" "), "", "", ""][:3]
        if component != "main" or not uri.startswith(("http://", "https://")):
            continue
        if re.fullmatch(_SUITES, release):
            main = main or uri
        elif re.fullmatch(f"{_SUITES}-security", release):
            security = security or uri
    return Mirrors(main, security) if main else None


def machine_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Files to put into the common layer, by their path below its root."""
    npm = _npm_configuration(environ)
    files = {
        "etc/apt/apt.conf.d/80machine": _apt_configuration(environ),
        "etc/pip.conf": _pip_configuration(environ),
        # Debian's npm reads the first, npm's own package beside Debian's node the second.
        "etc/npmrc": npm,
        "usr/etc/npmrc": npm,
    }
    for certificate in sorted(_OWN_CERTIFICATES.glob("**/*.crt")):
        files[str(certificate.relative_to("/"))] = certificate.read_text(errors="surrogateescape")
    if bundle := find_certificates(environ):
        files[CERTIFICATES] = bundle.read_text(errors="surrogateescape")
    return files


def find_certificates(environ: Mapping[str, str]) -> Path | None:
    """The bundle of certificates this machine trusts."""
    named = environ.get("SSL_CERT_FILE")
    candidates = [Path(named)] if named else []
    return next((path for path in [*candidates, *_BUNDLES] if path.is_file()), None)


def proxy_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Build arguments every builder knows without an ARG, and keeps out of the image."""
    return {name: environ[name] for name in _PROXIES if environ.get(name)}


def _apt_configuration(environ: Mapping[str, str]) -> str:
    lines = (ask("apt-config", "dump", environ=environ) or "").splitlines()
    return "".join(f"{line}\n" for line in lines if re.match(_APT_KEYS, line))


def _pip_configuration(environ: Mapping[str, str]) -> str:
    """Index and proxy of the machine's pip; paths of this machine mean nothing in a container."""
    home = Path(environ.get("HOME") or Path.home())
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    own = [home / ".pip" / "pip.conf", user]
    # As pip does it: the user's own are read where there is no such file.
    if (named := environ.get("PIP_CONFIG_FILE")) and Path(named).exists():
        own = [Path(named)]
    parser = configparser.RawConfigParser()
    # What pip itself cannot read, it reports when it is used.
    with suppress(configparser.Error):
        parser.read([_SYSTEM_PIP, *own])
    sections = [dict(parser[name]) for name in ("install", "global") if name in parser]
    settings: dict[str, str] = {}
    for key in _PIP_KEYS:
        named = environ.get(f"PIP_{key.upper().replace('-', '_')}")
        if value := next(filter(None, [named, *(section.get(key) for section in sections)]), None):
            settings[key] = value
    # pip brings certificates of its own, which lack those the machine's owner has added.
    settings["cert"] = f"/{CERTIFICATES}"
    lines = [f"{key} = {_indent(value)}" for key, value in sorted(settings.items())]
    return "\n".join(["[global]", *lines]) + "\n"


def _indent(value: str) -> str:
    """As pip's files have several indexes or hosts; without it each would begin a setting."""
    return value.replace("\n", "\n    ")


def _npm_configuration(environ: Mapping[str, str]) -> str:
    lines = [f"cafile = /{CERTIFICATES}"]
    for key in ("registry", "proxy", "https-proxy", "noproxy"):
        value = ask("npm", "config", "get", key, environ=environ)
        if value not in (None, "", "null", "undefined"):
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"
