"""What containers need of this machine to reach the same package mirrors."""

import configparser
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
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
_PROXY_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


def machine_files(environ: Mapping[str, str]) -> dict[str, bytes]:
    """Files to put into the common layer, by their path below its root."""
    files = {
        "etc/apt/apt.conf.d/80machine": _apt_configuration().encode(),
        "etc/pip.conf": _pip_configuration(environ).encode(),
    }
    # Debian's npm reads the first, npm's own package beside Debian's node the second.
    for path in ("etc/npmrc", "usr/etc/npmrc"):
        files[path] = _npm_configuration().encode()
    for certificate in sorted(_OWN_CERTIFICATES.glob("**/*.crt")):
        files[str(certificate.relative_to("/"))] = certificate.read_bytes()
    if bundle := find_certificates(environ):
        files[CERTIFICATES] = bundle.read_bytes()
    return files


def find_certificates(environ: Mapping[str, str]) -> Path | None:
    """The bundle of certificates this machine trusts."""
    named = environ.get("SSL_CERT_FILE")
    candidates = [Path(named)] if named else []
    return next((path for path in [*candidates, *_BUNDLES] if path.is_file()), None)


def proxy_arguments(environ: Mapping[str, str]) -> dict[str, str]:
    """Build arguments every builder knows without an ARG, and keeps out of the image."""
    return {name: environ[name] for name in _PROXY_VARIABLES if environ.get(name)}


def _apt_configuration() -> str:
    lines = _output("apt-config", "dump").splitlines()
    return "".join(f"{line}\n" for line in lines if re.match(_APT_KEYS, line))


def _pip_configuration(environ: Mapping[str, str]) -> str:
    """Index and proxy of the machine's pip; paths of this machine mean nothing in a container."""
    settings = dict(_read_pip_files(environ))
    for key in _PIP_KEYS:
        if value := environ.get(f"PIP_{key.upper().replace('-', '_')}"):
            settings[key] = value
    # pip brings certificates of its own, which lack those the machine's owner has added.
    settings["cert"] = f"/{CERTIFICATES}"
    lines = [f"{key} = {value}" for key, value in sorted(settings.items())]
    return "\n".join(["[global]", *lines]) + "\n"


def _read_pip_files(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    for path in (_SYSTEM_PIP, home / ".pip" / "pip.conf", user):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except (OSError, configparser.Error):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                items = parser.items(section)
                yield from ((key, value) for key, value in items if key in _PIP_KEYS)


def _npm_configuration() -> str:
    lines = [f"cafile = /{CERTIFICATES}"]
    for key in ("registry", "proxy", "https-proxy", "noproxy"):
        value = _output("npm", "config", "get", key).strip()
        if value not in ("", "null", "undefined"):
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _output(*command: str) -> str:
    """A command's output; empty where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
