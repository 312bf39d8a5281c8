"""Annotations that lead somewhere, as links."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from app.web.links import is_web_url

_SOURCE = "backstage.io/source-location"
_TECHDOCS = "backstage.io/techdocs-ref"
_TITLES = {
    _SOURCE: "Source code",
    _TECHDOCS: "TechDocs source",
    "backstage.io/techdocs-entity": "TechDocs",
    "backstage.io/view-url": "Descriptor",
    "backstage.io/edit-url": "Edit the descriptor",
    "backstage.io/managed-by-location": "Descriptor",
    "grafana/overview-dashboard": "Grafana dashboard",
    "grafana/dashboard-selector": "Grafana dashboards",
}
_SLUGS = {
    "github.com/project-slug": ("GitHub", "https://github.com/"),
    "gitlab.com/project-slug": ("GitLab", "https://gitlab.com/"),
    "circleci.com/project-slug": ("CircleCI", "https://app.circleci.com/pipelines/"),
    "pagerduty.com/service-id": ("PagerDuty", "https://app.pagerduty.com/service-directory/"),
}
"""What is known by a name in another system, and where that system shows it."""

_RUNBOOKS = ("runbook", "runbooks", "runbook-url")
"""There is no key for runbooks that all use: the name counts, whatever its domain."""


@dataclass(frozen=True)
class AnnotationLink:
    """Where an annotation leads."""

    key: str
    title: str
    url: str


def annotation_links(annotations: Mapping[str, str]) -> list[AnnotationLink]:
    """Those of the annotations that lead somewhere: known ones, and whatever holds an address."""
    return [AnnotationLink(key, *found) for key, found in _find(annotations)]


def _find(annotations: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for key, value in annotations.items():
        if key in _SLUGS:
            title, base = _SLUGS[key]
            yield key, (title, base + quote(value))
        elif url := _address(key, value, annotations):
            name = key.rpartition("/")[2]
            yield key, ("Runbook" if name in _RUNBOOKS else _TITLES.get(key, key), url)


def _address(key: str, value: str, annotations: Mapping[str, str]) -> str | None:
    target = value.removeprefix("url:").strip()
    if key == _TECHDOCS and value.startswith("dir:"):
        # Relative to the descriptor, which lies where the source is unless it says otherwise.
        source = annotations.get(_SOURCE, "").removeprefix("url:")
        target = urljoin(source, value.removeprefix("dir:")) if source else ""
    return target if is_web_url(target) else None
