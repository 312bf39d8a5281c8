"""The administrator, and in development an example catalogue."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis, RedisError
from sqlalchemy import Connection, NullPool, create_engine, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.config import Config
from app.constants import (
    ACTOR_CHANGE_SECONDS,
    DATABASE_CONNECT_TIMEOUT_SECONDS,
    REDIS_TIMEOUT_SECONDS,
)
from app.exceptions import CommandError, one_line
from app.schema import AuditEvent, Team, User
from app.seed.catalogue import add_catalogue
from app.seed.people import add_people
from app.services.passwords import make_hasher
from app.storage.actor_cache import CHANGING, actor_key

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


def reset_admin(config: Config) -> bool:
    """Give the administrator the first password again and end all sessions; False if there is none.

    Raises
    ------
    CommandError
        Raised when PostgreSQL or Redis refuses; nothing was changed then.
    """
    with _transaction(config) as connection:
        address = User.email == config.admin_email
        user_id = connection.scalar(select(User.id).where(address).with_for_update())
        if user_id is None:
            return False
        _announce_change(config, user_id)
        values = {
            **_first_access(config, "reset-admin"),
            "is_active": True,
            "password_changed_at": func.now(),
            "session_epoch": User.session_epoch + 1,
        }
        connection.execute(update(User).where(address).values(values))
        event = {"actor": "operator", "actor_kind": "system", "action": "user.reset-password"}
        target = f"user:{config.admin_email}"
        connection.execute(insert(AuditEvent).values(**event, target=target))
        return True


def _announce_change(config: Config, user_id: uuid.UUID) -> None:
    """As `ActorCache.announce_change`: replicas would let the old sessions in for a while."""
    limits = dict.fromkeys(("socket_connect_timeout", "socket_timeout"), REDIS_TIMEOUT_SECONDS)
    try:
        with Redis.from_url(config.redis_url.get_secret_value(), **limits) as redis:
            redis.set(actor_key(user_id), CHANGING, ex=ACTOR_CHANGE_SECONDS)
    except RedisError as error:
        raise CommandError(
            f"Redis should take the news of the change (got: {one_line(error)}). Check REDIS_URL."
        ) from error


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
    known = connection.scalar(select(User.id).where(User.email == config.admin_email))
    if known is not None:
        return False
    values = {"email": config.admin_email, **_first_access(config, "create-admin")}
    added = insert(User).values(values).on_conflict_do_nothing().returning(User.id)
    return connection.scalar(added) is not None


def _first_access(config: Config, command: str) -> dict[str, Any]:
    return {
        "password_hash": _hash_password(config, command),
        "role": "admin",
        # The operator of the stack knows this one.
        "must_change_password": config.is_production,
    }


def _hash_password(config: Config, command: str) -> str:
    return make_hasher().hash(config.secret_for(command, "admin_password"))


def _add_teams(connection: Connection) -> None:
    teams = [{"name": name, "title": title} for name, title in _TEAMS.items()]
    connection.execute(insert(Team).values(teams).on_conflict_do_nothing())
