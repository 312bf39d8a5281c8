"""What all tables share: names of constraints, keys, times."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, get_args

from sqlalchemy import MetaData, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, Text

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Common metadata: every constraint has a name that a later migration can use."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text, datetime: DateTime(timezone=True)}


class Identified:
    """A table whose rows have an id of no meaning and know when they came."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def one_of(column: str, literal: Any) -> str:
    """SQL of a check that `column` holds one of the values of a `Literal`."""
    quoted = ", ".join(f"'{value}'" for value in get_args(literal))
    return f"{column} IN ({quoted})"
