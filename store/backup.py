"""A whole copy of the database while it is in use: what `nightschool backup FILE` does."""

import os
from pathlib import Path

from store.artifacts import TEMPORARY
from store.errors import BadInput, NightschoolError
from store.session import Store, sqlite_module


def backup(store: Store, path: Path) -> int:
    """Write everything that is committed at this moment into a new SQLite file, check it, and give its size in bytes.

    A plain copy of the file would lack what still stands in the write-ahead log, or be torn by whoever writes.

    Raises:
        BadInput: this is Postgres, which has a tool of its own; the file is there already; or it cannot be written.
        NightschoolError: the copy is damaged, and so is the database.
    """
    if not store.is_sqlite:
        raise BadInput("This is Postgres: `pg_dump --format=custom --file=FILE DATABASE` makes a backup of it.")
    if path.exists():
        raise BadInput(f"{path} is there already: name another file.")
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent}.")
    unfinished = path.with_name(f"{TEMPORARY}{path.name}")
    unfinished.unlink(missing_ok=True)
    try:
        _copy(store, unfinished)
        _check(unfinished)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def _copy(store: Store, path: Path) -> None:
    connection = store.engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(path),))
    except sqlite_module().Error as error:
        raise BadInput(f"{path.parent} cannot take the backup: {error}. Is the disk full?") from error
    finally:
        connection.close()
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path) -> None:
    connection = sqlite_module().connect(f"file:{path}?mode=ro", uri=True)
    try:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    finally:
        connection.close()
    if found != "ok":
        raise NightschoolError(f"The database is damaged, so no backup was made: {found}. Restore the last good one.")
