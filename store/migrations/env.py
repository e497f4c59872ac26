"""Alembic's entry: runs the migrations on the connection that `Store.migrate` hands in.

For a new revision: `alembic -c store/migrations/alembic.ini revision --autogenerate -m "what changes"`.
"""

from typing import Literal

from alembic import context
from sqlalchemy import Enum
from sqlmodel import AutoString, SQLModel

from store import tables
from store.session import Store
from store.settings import Settings


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write our types as the plain ones they are stored as, so that a revision never changes with the code."""
    if kind == "type" and isinstance(item, tables.UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString | Enum):
        return "sa.String()"
    return False


connection = context.config.attributes.get("connection")
if connection is None:
    connection = Store.of(Settings()).engine.connect()
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
