"""A whole copy of a SQLite database while it is in use."""

import os
from pathlib import Path

from store.artifacts import TEMPORARY
from store.errors import BadInput, NightschoolError
from store.session import Store, sqlite_module


def copy_whole(store: Store, path: Path) -> None:
    """Write everything that is committed at this moment into a new SQLite file, and check it.

    A plain copy of the file would lack what still stands in the write-ahead log, or be torn by whoever writes. The copy
    is made by SQLite itself (`VACUUM INTO`, sqlite.org/lang_vacuum.html).

    Raises:
        BadInput: it cannot be written.
        NightschoolError: the copy is damaged, and so is the database.
    """
    unfinished = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        _copy(store, unfinished)
        _check(unfinished)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
