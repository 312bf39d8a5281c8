"""RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers has them."""

from collections.abc import Sequence

from app.constants import LIMIT_WINDOW_SECONDS
from app.storage.buckets import Standing

Header = tuple[bytes, bytes]


def limit_headers(standings: Sequence[Standing]) -> list[Header]:
    """The fields that tell a client its limits and what is left of them."""
    if not standings:
        return []
    policies = ", ".join(
        f'"{standing.bucket.name}";q={standing.bucket.capacity};w={LIMIT_WINDOW_SECONDS}'
        for standing in standings
    )
    left = ", ".join(
        f'"{standing.bucket.name}";r={standing.remaining};t={standing.full_in}'
        for standing in standings
    )
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]
