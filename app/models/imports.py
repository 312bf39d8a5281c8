"""The result of an import of catalog-info.yaml."""

from typing import Literal

from pydantic import BaseModel

Result = Literal["created", "updated", "unchanged", "skipped"]


class ImportedEntity(BaseModel):
    """One document of the file."""

    kind: str
    """Of an entity; or `group` for a team, `user` for an account, or a kind that is skipped."""
    namespace: str
    name: str
    result: Result
    changes: list[str] = []
    """What was not as the document says: fields, `relations`, `document`, `teams`, `members`."""


class ImportResult(BaseModel):
    """Every document of the file, in order."""

    items: list[ImportedEntity]
    warnings: list[str] = []
    """What did not come in as it is in the file."""
    dry_run: bool = False
    """Nothing was changed: `items` tells what an import would do."""
