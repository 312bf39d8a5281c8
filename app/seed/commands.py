"""The administrator, and in development an example catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.config import Config
from app.constants import DATABASE_CONNECT_TIMEOUT_SECONDS
from app.exceptions import CommandError, one_line
from app.schema import Team, User
from app.seed.catalogue import add_catalogue
from app.seed.people import add_people
from app.services.passwords import make_hasher

_TEAMS = {"platform": "Platform", "payments": "Payments", "search": "Search"}


def seed(config: Config) -> None:
    """Create the administrator, teams, people and entities; what exists stays as it is.

    Raises
    ------
    CommandError
        Raised when PostgreSQL refuses.
    """
    with _transaction(config) as connection:
        _add_admin(connection, config)
        _add_teams(connection)
        add_catalogue(connection)
        add_people(connection, _hash_password(config, "seed"))


def create_admin(config: Config) -> bool:
    """Create the administrator; False if there was one of that address.

    Raises
    ------
    CommandError
        Raised when PostgreSQL refuses.
    """
    with _transaction(config) as connection:
        return _add_admin(connection, config)


@contextmanager
def _transaction(config: Config) -> Iterator[Connection]:
    limits = {"connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS}
    engine = create_engine(config.async_database_url, poolclass=NullPool, connect_args=limits)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise CommandError(
            f"PostgreSQL should accept the rows (got: {one_line(error)}). "
            "Check DATABASE_URL, and that `migrate` ran first."
        ) from error


def _add_admin(connection: Connection, config: Config) -> bool:
    known = connection.scalar(select(User.id).where(User.email == config.admin_email.lower()))
    if known is not None:
        return False
    values = {
        "email": config.admin_email.lower(),
        "password_hash": _hash_password(config, "create-admin"),
        "role": "admin",
        # The operator of the stack knows this one.
        "must_change_password": config.is_production,
    }
    added = insert(User).values(values).on_conflict_do_nothing().returning(User.id)
    return connection.scalar(added) is not None


def _hash_password(config: Config, command: str) -> str:
    return make_hasher().hash(config.secret_for(command, "admin_password"))


def _add_teams(connection: Connection) -> None:
    teams = [{"name": name, "title": title} for name, title in _TEAMS.items()]
    connection.execute(insert(Team).values(teams).on_conflict_do_nothing())
