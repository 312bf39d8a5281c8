"""What changed from one OpenAPI document to another, as a client would notice it.

Only what operations and webhooks show is compared; a schema that nothing uses may change freely.
Texts, examples and tags are no difference. Callbacks are not compared.
"""

from typing import Any

from app.openapi.diff.changes import Change, Groups
from app.openapi.diff.documents import DocumentDiff
from app.openapi.diff.report import Group, Report, Side, report

__all__ = ["Change", "Group", "Groups", "Report", "Side", "diff_documents", "report"]


def diff_documents(old: dict[str, Any], new: dict[str, Any]) -> Groups:
    """Every difference, by what it belongs to; a named schema's once, however often it is used."""
    return DocumentDiff(old, new).compare()
