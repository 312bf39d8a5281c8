"""The files of Nginx's configuration, rendered from `docker/nginx/` and the settings."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from infra.resources.image import ROOT
from infra.settings.loading import Settings

# An idle client connection outlives a reload for so long after its last request.
_KEEPALIVE_MIN_SECONDS = 5
_FOLDER = ROOT / "docker" / "nginx"
_PLACEHOLDER = re.compile(r"@([a-z0-9_]+)@")
_ADVICE = {
    400: "The request could not be understood.",
    403: "This is not to be had here. Calls of the API go over HTTPS.",
    404: "There is nothing at this address.",
    405: "That method is not for this address.",
    408: "The request took too long to arrive.",
    413: "The request is larger than what is taken here.",
    414: "The address is longer than what is taken here.",
    416: "That part is not there.",
    421: "Another host was asked for than the one that answers here.",
    429: "Too many requests came from your address. Wait a moment, then try again.",
    431: "The request's headers are larger than what is taken here.",
    500: "Something went wrong here.",
    502: "The portal does not answer. Try again in a few seconds.",
    503: "The portal cannot answer now. Try again in a few seconds.",
    504: "The portal took too long to answer. Try again in a few seconds.",
}
# What nginx counts under a number of its own: the header was too large.
_TOO_LARGE_HEADER = "error_page 494 =431 /errors/431.$error_format;"


def render_files(settings: Settings) -> dict[str, str]:
    """Text of each file by its name, but for the peers, the certificate and its key."""
    names = ("nginx.conf", "site.conf", "proxy.conf", "headers.conf", "tls.conf")
    values = _values(settings)
    return {
        **{name: _fill((_FOLDER / name).read_text(), values) for name in names},
        "limits.conf": _limit_zones(settings),
        "limits-site.conf": _limits(settings),
        "extra.conf": settings.nginx.extra_configuration + "\n",
        "errors.conf": _error_rules(),
        "errors/style.css": (_FOLDER / "style.css").read_text(),
        **_error_pages(),
    }


def render_peers(peers: Sequence[str]) -> str:
    """Servers of the upstream; each name is asked again, for a replica that restarts."""
    return "".join(
        f"server {peer} resolve max_fails=1 fail_timeout=2s;\n" for peer in sorted(set(peers))
    )


def site_url(settings: Settings) -> str:
    """Where clients find the portal; the engine's choice of a port is not known here."""
    port = settings.ports.https
    return f"https://{settings.domain}" + (f":{port}" if port not in (0, 443) else "")


def _values(settings: Settings) -> dict[str, str]:
    own, port = settings.nginx, settings.ports.https
    knows_port = port != 0
    return {
        "worker_processes": str(math.ceil(own.cpus)),
        "drain_seconds": str(settings.app.drain_seconds),
        "keepalive_min_seconds": str(_KEEPALIVE_MIN_SECONDS),
        "max_body_mb": str(own.max_body_mb),
        "answer_seconds": str(own.answer_seconds),
        "server_names": " ".join(
            dict.fromkeys((settings.domain, settings.ports.bind_address, "127.0.0.1"))
        ),
        "redirect": f"return 301 {site_url(settings)}$request_uri;"
        if knows_port
        else "return 403;",
        "http3": "listen 8443 quic reuseport;" if own.http3 else "",
        "alt_svc": f'h3=":{port}"; ma=86400' if own.http3 and knows_port else "",
    }


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


def _limit_zones(settings: Settings) -> str:
    lines = ["limit_req_status 429;", "limit_conn_status 429;", "limit_req_log_level warn;"]
    if rate := settings.nginx.requests_per_second:
        lines.append(f"limit_req_zone $binary_remote_addr zone=requests:10m rate={rate}r/s;")
    if settings.nginx.connections_per_client:
        lines.append("limit_conn_zone $binary_remote_addr zone=connections:10m;")
    return "\n".join(lines) + "\n"


def _limits(settings: Settings) -> str:
    own, lines = settings.nginx, []
    if own.requests_per_second:
        burst = f" burst={own.burst} nodelay" if own.burst else ""
        lines.append(f"limit_req zone=requests{burst};")
    if own.connections_per_client:
        lines.append(f"limit_conn connections {own.connections_per_client};")
    return "\n".join(lines) + "\n"


def _error_rules() -> str:
    pages = [f"error_page {status} /errors/{status}.$error_format;" for status in _ADVICE]
    return "\n".join([*pages, _TOO_LARGE_HEADER, _ERROR_LOCATIONS])


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
