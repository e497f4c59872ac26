"""Every row of one database into another, SQLite or Postgres, as it stood at one moment."""

from collections.abc import Callable

from sqlalchemy import Connection, Table, func, inspect, select, text
from sqlmodel import SQLModel

from store.errors import BadInput
from store.session import Store

BATCH = 1000


def move(source: Store, target: Store, say: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Make the tables in an empty database and copy every row into it, all or nothing; how many rows each table has.

    The source is read in one transaction, so what is written meanwhile is not in the copy: whoever moves for good stops
    the bot and the scheduler first.

    Raises:
        BadInput: the target has rows already.
        NightschoolError: one of the databases cannot be reached.
    """
    source.migrate()
    target.migrate()
    _require_empty(target)
    counts: dict[str, int] = {}
    with (
        source.engine.connect().execution_options(isolation_level=_steady(source)) as reading,
        reading.begin(),
        target.engine.connect().execution_options(writing=True) as writing,
        writing.begin(),
    ):
        for table in SQLModel.metadata.sorted_tables:
            counts[table.name] = _copy(table, reading, writing)
            say(f"{table.name}: {counts[table.name]:,} rows")
        if not target.is_sqlite:
            _continue_numbers(writing)
    return counts


def rows_of(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }


def _steady(store: Store) -> str:
    """The isolation in which a transaction sees one moment throughout; SQLite's always do."""
    return "SERIALIZABLE" if store.is_sqlite else "REPEATABLE READ"


def _require_empty(target: Store) -> None:
    filled = [name for name, count in rows_of(target).items() if count]
    if filled:
        raise BadInput(
            f"The database to copy into has rows already ({', '.join(filled[:3])} …). Name an empty one: nothing is "
            "ever merged or overwritten."
        )


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    # In the order of the keys, so that a row comes after those it refers to within its own table.
    statement = select(table).order_by(*table.primary_key.columns)
    copied = 0
    with reading.execution_options(yield_per=BATCH).execute(statement) as rows:
        for batch in rows.mappings().partitions(BATCH):
            writing.execute(table.insert(), [dict(row) for row in batch])
            copied += len(batch)
    return copied


def _continue_numbers(connection: Connection) -> None:
    """Have Postgres number new rows after those that were copied with their numbers."""
    for table in SQLModel.metadata.sorted_tables:
        for column in inspect(connection).get_columns(table.name):
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:name, :column)"),
                {"name": f'"{table.name}"', "column": column["name"]},
            ).scalar()
            highest = connection.execute(select(func.max(table.c[column["name"]]))).scalar() if sequence else None
            if highest:
                connection.execute(text("SELECT setval(:name, :highest)"), {"name": sequence, "highest": highest})
