"""Inserting a row unless it is there, alike on SQLite and Postgres."""

from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, SQLModel


def insert_ignoring(session: Session, table: type[SQLModel], values: dict[str, Any]) -> bool:
    """Insert a row unless one with the same key exists; True if it was inserted. The same on SQLite and Postgres."""
    statement = _insert_ignoring(str(table.__tablename__), session.get_bind().dialect.name)
    # A returned key, not the row count: the Postgres driver reports none for an insert.
    return session.connection().execute(statement, values).first() is not None


@cache
def _insert_ignoring(table: str, dialect: str) -> Executable:
    # Built once for each table: building it costs more than running it.
    target = SQLModel.metadata.tables[table]
    insert = insert_sqlite if dialect == "sqlite" else insert_postgres
    return insert(target).on_conflict_do_nothing().returning(*target.primary_key.columns)
