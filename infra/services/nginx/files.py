"""The files of nginx's configuration, rendered from `docker/nginx/` and the settings."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self

from infra.resources.build_context import ROOT, source_files
from infra.settings import NginxSettings, PortSettings, Settings

# An idle client connection outlives a reload for so long after its last request.
_KEEPALIVE_MIN_SECONDS = 5
_FOLDER = ROOT / "docker" / "nginx"
_TEMPLATES = ("nginx.conf", "site.conf", "proxy.conf", "headers.conf", "tls.conf")
_PLACEHOLDER = re.compile(r"@([a-z0-9_]+)@")
_ADVICE = {
    400: "The request could not be understood.",
    403: "This is not available over plain HTTP. Call the API over HTTPS.",
    404: "There is nothing at this address.",
    405: "This address does not support that method.",
    408: "The request took too long to arrive.",
    413: "The request is larger than the portal accepts.",
    414: "The address is longer than the portal accepts.",
    416: "The requested range does not exist.",
    421: "The request was for another host than this one.",
    429: "Too many requests came from your address. Wait a moment, then try again.",
    431: "The request's headers are larger than the portal accepts.",
    502: "The portal does not respond. Try again in a few seconds.",
    503: "The portal is not available now. Try again in a few seconds.",
    504: "The portal took too long to respond. Try again in a few seconds.",
}
# nginx has a status of its own, 494, for headers that are too large. Its own 500 means that it ran
# out of room, files or connections: the portal's 500 passes through as it is.
_OWN_STATUSES = """\
error_page 494 =431 /errors/431.$error_format;
error_page 500 =503 /errors/503.$error_format;"""
_ERROR_LOCATIONS = """\
location ^~ /errors/ {
    internal;
    root /etc/nginx/portal/live;
    types {
        text/html html;
        application/problem+json json;
    }
}
location = /errors/style.css {
    root /etc/nginx/portal/live;
    expires 1h;
}
"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where clients reach the portal.

    Parameters
    ----------
    drain_seconds
        How long a request that has begun may take once its worker or its replica is replaced.
    """

    domain: str
    ports: PortSettings
    drain_seconds: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """That of a stack."""
        return cls(
            domain=settings.domain, ports=settings.ports, drain_seconds=settings.app.drain_seconds
        )

    @property
    def url(self) -> str:
        """Base URL; without a port where that is HTTPS's own, or 0 and not known yet."""
        return self.url_on(self.ports.https or 443)

    def url_on(self, port: int) -> str:
        """Base URL on `port`, without a slash at the end."""
        return f"https://{self.domain}" + ("" if port == 443 else f":{port}")


def render_files(settings: NginxSettings, site: Site, assets: Path | None) -> dict[str, str]:
    """Text of each file by its name, except for the peers, the certificate and its key.

    Parameters
    ----------
    assets
        Folder whose files nginx serves itself; None leaves them to the portal.
    """
    values = _values(settings, site)
    return {
        **{name: _fill((_FOLDER / name).read_text(), values) for name in _TEMPLATES},
        "limits.conf": _limit_zones(settings),
        "limits-site.conf": _limits(settings),
        "assets.conf": _asset_locations(assets),
        "extra.conf": settings.extra_configuration + "\n",
        "error-pages.conf": _error_rules(),
        "errors.conf": f"include error-pages.conf;\n{_ERROR_LOCATIONS}",
        "errors/style.css": (_FOLDER / "style.css").read_text(),
        **_error_pages(),
    }


def _values(settings: NginxSettings, site: Site) -> dict[str, str]:
    port = site.ports.https
    return {
        "worker_processes": str(math.ceil(settings.cpus)),
        "drain_seconds": str(site.drain_seconds),
        "keepalive_min_seconds": str(_KEEPALIVE_MIN_SECONDS),
        "max_body_mb": str(settings.max_body_mb),
        "answer_seconds": str(settings.answer_seconds),
        "server_names": _server_names(site),
        # A port of 0 is chosen later, and not known here.
        "redirect": f"return 301 {site.url}$request_uri;" if port else "return 403;",
        "http3": "listen 8443 quic reuseport;" if settings.http3 else "",
        "alt_svc": f'h3=":{port}"; ma=86400' if settings.http3 and port else "",
    }


def _server_names(site: Site) -> str:
    """The hosts that the site answers for; nginx compares an IPv6 address with its brackets."""
    address = site.ports.bind_address
    host = f"[{address}]" if ":" in address else address
    return " ".join(dict.fromkeys((site.domain, host, "127.0.0.1")))


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


def _limit_zones(settings: NginxSettings) -> str:
    lines = ["limit_req_status 429;", "limit_conn_status 429;", "limit_req_log_level warn;"]
    lines.append("limit_conn_log_level warn;")
    if rate := settings.requests_per_second:
        lines.append(f"limit_req_zone $binary_remote_addr zone=requests:10m rate={rate}r/s;")
    if settings.connections_per_client:
        lines.append("limit_conn_zone $binary_remote_addr zone=connections:10m;")
    lines.append("limit_conn_zone $uploading_client zone=uploads:1m;")
    return "\n".join(lines) + "\n"


def _limits(settings: NginxSettings) -> str:
    lines = [f"limit_conn uploads {settings.uploads_per_client};"]
    if settings.requests_per_second:
        burst = f" burst={settings.burst} nodelay" if settings.burst else ""
        lines.append(f"limit_req zone=requests{burst};")
    if settings.connections_per_client:
        lines.append(f"limit_conn connections {settings.connections_per_client};")
    return "\n".join(lines) + "\n"


def _asset_locations(folder: Path | None) -> str:
    """Each by its name: the volume may also hold those of another version of the portal."""
    names = source_files(folder) if folder else ()
    return "".join(f'location = "/assets/{name}" {{}}\n' for name in names)


def _error_rules() -> str:
    pages = [f"error_page {status} /errors/{status}.$error_format;" for status in _ADVICE]
    return "\n".join([*pages, _OWN_STATUSES]) + "\n"


def _error_pages() -> dict[str, str]:
    template = (_FOLDER / "error.html").read_text()
    pages: dict[str, str] = {}
    for status, advice in _ADVICE.items():
        title = HTTPStatus(status).phrase
        values = {"status": str(status), "title": title, "advice": advice}
        pages[f"errors/{status}.html"] = _fill(template, values)
        problem = {"type": "about:blank", "title": title, "status": status, "detail": advice}
        pages[f"errors/{status}.json"] = json.dumps(problem) + "\n"
    return pages
