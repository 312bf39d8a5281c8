"""Accounts to try the portal with, in development: every role, inside and outside of teams."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from app.schema import Membership, Team, User

_PEOPLE = (
    ("olga@example.com", "Olga Orlova", "member"),
    ("milo@example.com", "Milo Marek", "member"),
    ("paula@example.com", "Paula Prado", "member"),
    ("petra@example.com", "Petra Palm", "member"),
    ("sami@example.com", "Sami Salo", "member"),
    ("selma@example.com", "Selma Strand", "member"),
    ("nadia@example.com", "Nadia Noor", "member"),
    ("vera@example.com", "Vera Vidal", "viewer"),
)
_MEMBERSHIPS = (
    ("platform", "olga@example.com", "owner"),
    ("platform", "milo@example.com", "member"),
    ("payments", "paula@example.com", "owner"),
    ("payments", "petra@example.com", "member"),
    ("payments", "vera@example.com", "member"),
    ("search", "sami@example.com", "owner"),
    ("search", "selma@example.com", "member"),
)


def add_people(connection: Connection, password_hash: str) -> None:
    """Accounts that share the administrator's password, and their teams."""
    people = [
        {"email": email, "name": name, "role": role, "password_hash": password_hash}
        for email, name, role in _PEOPLE
    ]
    connection.execute(insert(User).values(people).on_conflict_do_nothing())
    users = dict(connection.execute(select(User.email, User.id)).tuples().all())
    teams = dict(connection.execute(select(Team.name, Team.id)).tuples().all())
    memberships = [
        {"team_id": teams[team], "user_id": users[email], "role": role}
        for team, email, role in _MEMBERSHIPS
    ]
    connection.execute(insert(Membership).values(memberships).on_conflict_do_nothing())
