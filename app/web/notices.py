"""Notices that the next page shows once; the cookie has the name of one, not its text."""

NOTICE_COOKIE = "notice"

NOTICES = {
    "signed-out": "You are signed out.",
    "registered": "Sign in with the address and the password that you gave.",
    "password": "Your password is changed. Other sessions were signed out.",
    "password-chosen": "Your password is set. Sign in with it.",
    "key-revoked": "The key is revoked. Programs that still use it are refused.",
    "session-revoked": "The session is signed out.",
    "entity-created": "The entry is in the catalogue.",
    "entity-updated": "The changes are saved.",
    "entity-deleted": "The entry is deleted, with its documents and pages.",
    "relation-added": "The relation is added.",
    "relation-removed": "The relation is removed.",
    "version-published": "The version is published.",
    "page-saved": "The page is saved.",
    "page-deleted": "The page is deleted.",
    "user-changed": "The account is changed.",
    "webhook-retried": "What waits for the address is sent now.",
    "webhook-deleted": "The address is no longer notified.",
    "team-changed": "The team is changed.",
    "team-created": "The team is created.",
    "team-deleted": "The team is deleted.",
}
