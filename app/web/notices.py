"""Notices that the next page shows once; the cookie has the name of one, not its text."""

from dataclasses import dataclass

NOTICE_COOKIE = "notice"


@dataclass(frozen=True)
class Notice:
    """A sentence, and how it is meant."""

    text: str
    tone: str = "good"


NOTICES = {
    "signed-out": Notice("You are signed out."),
    "registered": Notice("Sign in with the address and the password that you gave."),
    "password": Notice("Your password is changed. Other sessions were signed out."),
    "password-chosen": Notice("Your password is set. Sign in with it."),
    "key-revoked": Notice("The key is revoked. Programs that still use it are refused."),
    "session-revoked": Notice("The session is signed out."),
    "entity-created": Notice("The entry is in the catalogue."),
    "entity-updated": Notice("The changes are saved."),
    "entity-deleted": Notice("The entry is deleted, with its documents and pages."),
    "relation-added": Notice("The relation is added."),
    "relation-removed": Notice("The relation is removed."),
    "version-published": Notice("The version is published."),
    "page-saved": Notice("The page is saved."),
    "page-deleted": Notice("The page is deleted."),
    "user-changed": Notice("The account is changed."),
    "team-changed": Notice("The team is changed."),
    "team-created": Notice("The team is created."),
    "team-deleted": Notice("The team is deleted."),
}
