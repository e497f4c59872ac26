"""One way to the database, SQLite or Postgres: short transactions, from synchronous code and from the event loop.

On SQLite a writing transaction takes the write lock when it begins (`BEGIN IMMEDIATE`): a transaction that reads
first and writes later would otherwise fail with "database is locked" whatever the busy timeout. The event loop
calls the same synchronous functions in a small pool of threads; there is one engine and one kind of query.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, create_engine

from store import audit
from store.errors import NightschoolError
from store.inserting import insert_ignoring as insert_ignoring  # what others import from here
from store.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

SAFE_SQLITE = (3, 51, 3)
"""First release without the WAL-reset bug that can corrupt a database under two writers (sqlite.org, 2026-03)."""

BUSY_TIMEOUT_S = 15
THREADS = 8


def sqlite_module() -> ModuleType:
    """The newest SQLite at hand: the one of `pysqlite3` where it is installed, else Python's own."""
    try:
        import pysqlite3
    except ImportError:
        return sqlite3
    module: ModuleType = pysqlite3
    return module if module.sqlite_version_info >= sqlite3.sqlite_version_info else sqlite3


def _make_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=THREADS)
    engine = create_engine(url, module=sqlite_module(), connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: `_begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


class Store:
    """The database: `reading()` and `writing()` open a transaction; `read` and `write` do so off the event loop."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy URL; nothing is created, see `migrate`."""
        self.url = url
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = _make_engine(url)
        self._writing_engine = self.engine.execution_options(writing=True)
        # Threads of one process queue here rather than at SQLite's lock, which polls.
        self._write_lock: Lock | None = Lock() if self.is_sqlite else None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store")

    @classmethod
    def of(cls, settings: Settings) -> "Store":
        """The database that the settings name."""
        return cls(settings.database)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite rather than Postgres."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; rows stay usable after it."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end, rolled back by an exception."""
        if self._write_lock is not None:
            with self._write_lock, self._transaction() as session:
                yield session
        else:
            with self._transaction() as session:
                yield session

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self._writing_engine, expire_on_commit=False) as session, session.begin():
            yield session
            audit.seal(session)

    async def read(self, question: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask `question(session, …)` in a reading transaction without blocking the event loop."""

        def ask() -> T:
            with self.reading() as session:
                return question(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, ask)

    async def write(self, change: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make `change(session, …)` in a writing transaction without blocking the event loop."""

        def make() -> T:
            with self.writing() as session:
                return change(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, make)

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe to call at every start and by several processes at once.

        Raises:
            NightschoolError: the database cannot be reached.
        """
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self._migration_connection() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except OperationalError as error:
            raise NightschoolError(
                f"The database at {make_url(self.url).render_as_string()} cannot be reached: {error.orig}. "
                "Check NIGHTSCHOOL_DATABASE_URL, that the server runs, and that the disk is not full."
            ) from error

    @contextmanager
    def _migration_connection(self) -> Iterator[Connection]:
        # Two processes that start together must not both create the tables: the write lock on SQLite, an
        # advisory lock on Postgres, make the second wait and then find nothing to do.
        with self._writing_engine.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7305817)")
            yield connection

    def sqlite_warning(self) -> str | None:
        """A sentence when the SQLite library in use is older than the first safe one, else None."""
        if not self.is_sqlite:
            return None
        found: tuple[int, ...] = sqlite_module().sqlite_version_info
        if found >= SAFE_SQLITE:
            return None
        return (
            f"SQLite {'.'.join(map(str, found))} has a bug that can damage a database under two writers; "
            "install pysqlite3 (0.6.1 or newer) or use Postgres."
        )

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.shutdown(wait=True)
        self.engine.dispose()
