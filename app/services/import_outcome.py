"""What an import has done, document by document."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.models.imports import ImportedEntity, ImportResult, Result
from app.services.catalog_info import CatalogInfo
from app.services.organisation import Group, User
from app.storage.audit import Event


@dataclass
class Outcome:
    """What an import has done so far; `items` by the document's number."""

    items: dict[int, ImportedEntity] = field(default_factory=dict)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def warn(self, number: int, place: str, what: str) -> None:
        """Something does not come in as the document has it."""
        self.warnings.append((number, f"document {number}: {place}: {what}"))

    def note(self, action: str, target: str, **detail: object) -> None:
        """Remember an event for the audit trail."""
        self.events.append(Event(action, target, {**detail, "by": "import"}))

    def add(self, of: Group | User, result: Result, changes: Iterable[str] = ()) -> None:
        """The result of a document."""
        kind = "group" if isinstance(of, Group) else "user"
        self.items[of.number] = ImportedEntity(
            kind=kind, namespace=of.namespace, name=of.name, result=result, changes=[*changes]
        )

    def has_changed(self, number: int) -> bool:
        """Whether anything was not as the document says."""
        return self.items[number].result in ("created", "updated")

    def change(self, number: int, what: str) -> None:
        """Something that belongs to the document was not as it says."""
        item = self.items[number]
        item.changes.append(what)
        if item.result == "unchanged":
            item.result = "updated"

    def result(self, info: CatalogInfo, *, dry_run: bool) -> ImportResult:
        """All of it, in the file's order."""
        # The warnings of one document stay in the order in which they were found.
        warnings = sorted(self.warnings, key=lambda warning: warning[0])
        return ImportResult(
            items=[item for _, item in sorted((self.items | info.skipped).items())],
            warnings=[said for _, said in warnings],
            dry_run=dry_run,
        )
