"""Parts of an image name, as the engine reads them."""

DOCKER_HUB = "docker.io"
# The key that docker's own credential files use for Docker Hub.
DOCKER_HUB_CREDENTIALS = "https://index.docker.io/v1/"
_DOCKER_HUB_HOSTS = frozenset(
    {"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
)


def registry_of(image_name: str) -> str:
    """Host (and port) of the registry that holds the image; `docker.io` if the name has none."""
    first, slash, _ = image_name.partition("/")
    if slash and (set(first) & set(".:") or first == "localhost"):
        return registry_host(first)
    return DOCKER_HUB


def registry_host(address: str) -> str:
    """Host (and port) of a registry address such as `https://ghcr.io/v2/`."""
    host = address.split("://", 1)[-1].partition("/")[0]
    return DOCKER_HUB if host in _DOCKER_HUB_HOSTS else host


def is_fully_qualified(image_name: str) -> bool:
    """Whether the name itself says which registry it belongs to."""
    first, slash, _ = image_name.partition("/")
    return bool(slash) and (bool(set(first) & set(".:")) or first == "localhost")


def split_tag(image_name: str) -> tuple[str, str]:
    """Repository and tag or digest; the tag is `latest` if the name has none."""
    repository, at, digest = image_name.partition("@")
    head, colon, tag = repository.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    if at:
        return (head if tagged else repository), digest
    return (head, tag) if tagged else (repository, "latest")


def pick_repo_digest(image_name: str, repo_digests: list[str]) -> str:
    """The digest that belongs to the name's repository, else the first, else an empty string."""
    repository = split_tag(image_name)[0]
    own = [digest for digest in repo_digests if digest.partition("@")[0] == repository]
    return (own or repo_digests or [""])[0]
