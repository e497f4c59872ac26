"""A copy by SQLite that is made while others write is whole, and a copy of the file is not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from store import audit_trail, people
from store.audit_trail import Seen
from store.errors import BadInput, NightschoolError
from store.session import Store
from store.tables import InboxEvent
from store.whole_copy import copy_whole
from tests.store.test_durability import WRITER, stored

BACKUPS = 10


def at(path: Path) -> str:
    return f"sqlite:///{path}"


def opened(path: Path) -> Store:
    """The store of a file, as a machine that restored it would open it."""
    store = Store(at(path))
    store.migrate()
    return store


def test_backups_under_load_are_whole_and_hold_what_was_confirmed(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.writing() as session:
        people.set_learning(session, "T1", "U1", opted_out=True)
    command = [sys.executable, "-c", WRITER, sqlite_store.url, "w", "late"]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    confirmed: list[set[str]] = []
    try:
        for number in range(BACKUPS):
            seen = {writer.stdout.readline().strip() for _ in range(20)}
            confirmed.append(seen.union(*confirmed[-1:]))
            copy_whole(sqlite_store, tmp_path / f"{number}.db")
        assert writer.poll() is None, "control: somebody was writing all the time"
    finally:
        writer.kill()
        writer.communicate()
    lost = 0
    for number, rows in enumerate(confirmed):
        restored = opened(tmp_path / f"{number}.db")
        with restored.reading() as session:
            assert audit_trail.verify(session, Seen.read("")).entries == 1
        restored.close()
        lost += len(rows - stored(at(tmp_path / f"{number}.db")))
    print(f"{BACKUPS} backups under load: {lost} of {len(confirmed[-1])} confirmed rows lost")
    assert lost == 0


def test_the_control_a_copy_of_the_file_lacks_what_was_just_written(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.writing() as session:
        people.set_learning(session, "T1", "U1", opted_out=True)
    shutil.copy(sqlite_store.engine.url.database or "", tmp_path / "copy.db")
    copy_whole(sqlite_store, tmp_path / "backup.db")
    found = []
    for name in ("copy.db", "backup.db"):
        restored = opened(tmp_path / name)
        with restored.reading() as session:
            found.append(people.get(session, "T1", "U1").learning_opt_out)
        restored.close()
    assert found == [False, True]


def test_what_cannot_be_written_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot take the backup"):
        copy_whole(sqlite_store, tmp_path / "nowhere" / "x.db")


def test_a_damaged_database_gives_no_backup(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.writing() as session:
        session.add_all(InboxEvent(id=f"Ev{number}", kind="event", body={"x": "y" * 200}) for number in range(1000))
    file = Path(sqlite_store.engine.url.database or "")
    sqlite_store.close()
    with file.open("r+b") as damaged:
        damaged.seek(file.stat().st_size // 2)
        damaged.write(b"\xff" * 20_000)
    with pytest.raises(NightschoolError):
        copy_whole(Store(at(file)), tmp_path / "x.db")
    assert list(tmp_path.glob("*x.db*")) == []
