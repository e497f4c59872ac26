"""How columns are declared: moments, words, JSON and long texts, alike on SQLite and Postgres."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, Text, TypeDecorator
from sqlmodel import Field

from store.storable import storable

BASE = "base"
"""The name under which the base model, without any adapter, is served and recorded."""


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment that is UTC on the way in and on the way out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments; store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored; use datetime.now(UTC)")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back; SQLite forgets the zone."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


class StorableText(TypeDecorator[str]):
    """A text as it may come from anywhere; what no database keeps is replaced on the way in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace NUL characters and halves of surrogate pairs."""
        return None if value is None else storable(value)


def moment(*, optional: bool = False, index: bool = False) -> Any:
    """A moment: the present one by default, or none where it is optional."""
    if optional:
        return Field(default=None, sa_type=UTCDateTime, nullable=True, index=index)
    return Field(default_factory=now, sa_type=UTCDateTime, nullable=False, index=index)


def json_list() -> Any:
    """A list as JSON, empty by default."""
    return Field(default_factory=list, sa_type=JSON, nullable=False)


def json_dict() -> Any:
    """An object as JSON, empty by default."""
    return Field(default_factory=dict, sa_type=JSON, nullable=False)


def long_text() -> Any:
    """A text of any length, empty by default."""
    return Field(default="", sa_type=StorableText, nullable=False)


def word(words: type[StrEnum], default: StrEnum | None = None, *, index: bool = False, optional: bool = False) -> Any:
    """A word of an enum, stored as a string."""
    # Strings rather than the database's own enums: a new word then needs no migration.
    kind: Any = Enum(words, native_enum=False, length=40, values_callable=lambda enum: [word.value for word in enum])
    if default is not None:
        return Field(default=default, sa_type=kind, nullable=False, index=index)
    if optional:
        return Field(default=None, sa_type=kind, nullable=True, index=index)
    return Field(sa_type=kind, nullable=False, index=index)
