"""What changed from one OpenAPI document to another, as a client would notice it.

Only what operations and webhooks show is compared; a schema that nothing uses may change freely.
Texts, examples and tags are no difference. Callbacks are not compared.
"""

from typing import Any

from app.openapi.diff.changes import Change
from app.openapi.diff.documents import DocumentDiff

__all__ = ["Change", "diff_documents"]


def diff_documents(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Every difference, in the order of the documents."""
    return DocumentDiff(old, new).compare()
