"""One file with everything that cannot be made again: the database, the artifacts, the documents.

It is made while the product runs: by SQLite's own whole copy, or by one transaction of Postgres.
"""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import SQLModel

from store import artifacts, copying
from store.errors import BadInput
from store.session import Store
from store.settings import Settings
from store.tables import now
from store.whole_copy import copy_whole

DATABASE, FACTS = "database.db", "backup.json"
LEFT_OUT = ("training",)
"""Folders of the artifacts that are not kept: checkpoints of trainings, which a night makes anew."""

PATHS = (("adapter", "path"), ("dataset", "path"), ("evaluation", "chart"))
"""Columns that name a place among the artifacts, which may lie elsewhere once restored."""


@dataclass(frozen=True)
class Backup:
    """What is in a backup: when it was made, its files with their sha256, the rows of each table."""

    made_at: datetime
    files: dict[str, str]
    rows: dict[str, int]
    artifacts: str


def back_up(settings: Settings, store: Store, file: Path, say: Callable[[str], None] = lambda _: None) -> Backup:
    """Write a backup, whole or not at all; the product may run meanwhile.

    Raises:
        BadInput: there is a file of that name already, or it cannot be written.
        NightschoolError: the database is damaged.
    """
    if file.exists():
        raise BadInput(f"{file} exists already; a backup is never overwritten. Name another file.")
    with _beside(file) as folder:
        say("The database …")
        copy = Store(f"sqlite:///{folder / DATABASE}")
        if store.is_sqlite:
            copy_whole(store, folder / DATABASE)
        else:
            copying.move(store, copy)
        rows = copying.rows_of(copy)
        _settle(copy)
        say("The files …")
        for name, origin in _kept(settings):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
        files = {path.relative_to(folder).as_posix(): artifacts.sha256_of(path) for path in _files(folder)}
        made = Backup(now(), files, rows, str(settings.artifacts))
        artifacts.write_json(folder / FACTS, {**vars(made), "made_at": made.made_at.isoformat()})
        written = folder.with_suffix(".tar")
        with tarfile.open(written, "w") as tar:
            # The facts first, so that they can be read without the rest.
            for path in [folder / FACTS, *(folder / name for name in sorted(files))]:
                tar.add(path, path.relative_to(folder).as_posix())
        written.chmod(0o600)
        written.replace(file)
    return made


def restore(settings: Settings, file: Path, say: Callable[[str], None] = lambda _: None) -> Backup:
    """Bring a backup back into an empty home and an empty database; every file is checked against its sha256 first.

    Raises:
        BadInput: it is no backup of ours or was damaged, or the home or the database has something in it already.
    """
    target = Store.of(settings)
    try:
        _require_new(settings)
        with _beside(settings.home / "restoring.tar") as folder:
            made = _unpacked(file, folder)
            say(f"The backup of {made.made_at:%Y-%m-%d %H:%M} UTC is whole.")
            source = Store(f"sqlite:///{folder / DATABASE}")
            try:
                copying.move(source, target, say)
            finally:
                source.close()
            _put_back(settings, folder, made)
        _move_paths(target, made.artifacts, str(settings.artifacts))
    finally:
        target.close()
    return made


def _kept(settings: Settings) -> Iterator[tuple[str, Path]]:
    for name, place in (("artifacts", settings.artifacts), ("documents", settings.documents)):
        for path in _files(place):
            relative = path.relative_to(place)
            temporary = any(part.startswith(artifacts.TEMPORARY) for part in relative.parts)
            if not temporary and not (name == "artifacts" and relative.parts[0] in LEFT_OUT):
                yield f"{name}/{relative.as_posix()}", path


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else []


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A folder on the same disk as a file that is to be written, gone afterwards."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=artifacts.TEMPORARY) as folder:
        place = Path(folder, "backup")
        place.mkdir()
        yield place


def _settle(copy: Store) -> None:
    """Bring all of a SQLite database into its one file."""
    copy.engine.dispose()
    connection = copy.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    copy.close()


def _require_new(settings: Settings) -> None:
    there = [place for place in (settings.artifacts, settings.documents) if _files(place)]
    if there:
        raise BadInput(
            f"{there[0]} has files already. Restore into a new home: set NIGHTSCHOOL_HOME to an empty folder."
        )


def _unpacked(file: Path, folder: Path) -> Backup:
    try:
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
        made = Backup(datetime.fromisoformat(facts["made_at"]), facts["files"], facts["rows"], facts["artifacts"])
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is no backup that `nightschool backup` made, or it is damaged: {error}") from error
    for name, sha256 in made.files.items():
        path = folder / name
        if not path.is_file() or artifacts.sha256_of(path) != sha256:
            raise BadInput(f"{file} is damaged: {name} is not what was backed up. Use another backup.")
    return made


def _put_back(settings: Settings, folder: Path, made: Backup) -> None:
    places = {"artifacts": settings.artifacts, "documents": settings.documents}
    for name in made.files:
        first, _, rest = name.partition("/")
        if first in places:
            target = places[first] / rest
            artifacts.write_bytes(target, (folder / name).read_bytes())
            if first == "artifacts":
                target.chmod(0o444)
    for published in (settings.artifacts / "adapters").glob("*"):
        published.chmod(0o555)


def _move_paths(store: Store, before: str, after: str) -> None:
    if before == after:
        return
    with store.writing() as session:
        for name, column in PATHS:
            table = SQLModel.metadata.tables[name]
            session.connection().execute(table.update().values({column: func.replace(table.c[column], before, after)}))
