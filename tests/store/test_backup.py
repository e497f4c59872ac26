"""Backups that restore, and a database that moves with every row."""

import json
import tarfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import DateTime, Integer, select
from sqlmodel import SQLModel

from serving.base_model import BaseModel
from store import adapters, audit, copying
from store.artifacts import folder_manifest, manifest_sha256
from store.audit_trail import Seen, verify
from store.backup import back_up, restore
from store.errors import BadInput
from store.session import Store
from store.settings import Settings
from store.tables import Ticket, now
from tests.conftest import new_postgres_database
from tests.fixtures_serving import make_adapter
from tests.store.test_adapters import fields
from tests.trainer.tickets import add_reviewed


def invented(column: Any, number: int) -> Any:
    """A value for a column that has to have one."""
    kind = column.type
    if column.foreign_keys or isinstance(kind, Integer):
        return number
    if isinstance(kind, DateTime) or "DateTime" in type(kind).__name__:
        return now() - timedelta(days=number)
    if hasattr(kind, "enums") and kind.enums:
        return kind.python_type(kind.enums[0]) if hasattr(kind, "python_type") else kind.enums[0]
    name = type(kind).__name__
    if name == "JSON":
        return {"ä": [number]}
    if name == "Boolean":
        return True
    if name == "Float":
        return 0.5
    return f"{column.name} {number} “é”"


def fill_every_table(store: Store) -> None:
    with store.engine.connect().execution_options(writing=True) as connection, connection.begin():
        for table in SQLModel.metadata.sorted_tables:
            for number in (1, 2, 3):
                row = {column.name: invented(column, number) for column in table.columns}
                connection.execute(table.insert(), row)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in SQLModel.metadata.sorted_tables
        }


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty database."""
    if request.param == "sqlite":
        return Store(f"sqlite:///{tmp_path / 'other.db'}")
    return Store(new_postgres_database(request.getfixturevalue("postgres_url")))


def test_every_row_of_every_table_moves_as_it_is(store: Store, other: Store) -> None:
    fill_every_table(store)
    counts = copying.move(store, other)
    assert set(counts.values()) == {3}
    assert contents(other) == contents(store)
    # New rows are numbered after those that came.
    with other.writing() as session:
        add_reviewed(session, "And now?")
    other.close()


def test_nothing_is_copied_onto_rows_that_are_there(store: Store, other: Store) -> None:
    other.migrate()
    with other.writing() as session:
        add_reviewed(session, "Mine?")
    before = contents(other)
    with pytest.raises(BadInput, match="has rows already"):
        copying.move(store, other)
    assert contents(other) == before
    other.close()


def home_with_everything(store: Store, settings: Settings, base: BaseModel) -> None:
    folder = settings.artifacts / "adapters" / "v1-000000000001"
    made = make_adapter(base, folder, seed=1)
    with store.writing() as session:
        adapters.register(session, **{**fields(1), "path": str(folder), "sha256": made.sha256})
        add_reviewed(session, "When do you open?", "At nine.")
    (settings.artifacts / "training" / "1").mkdir(parents=True)
    (settings.artifacts / "training" / "1" / "checkpoint").write_text("big")
    settings.documents.mkdir(parents=True)
    (settings.documents / "returns.md").write_text("# Returns\n\n45 days.")


def moved_to(settings: Settings, home: Path, store: Store) -> Settings:
    return settings.model_copy(update={"home": home, "database_url": store.url})


def test_a_backup_restores_on_an_empty_machine(
    store: Store, other: Store, settings: Settings, base_model: BaseModel, tmp_path: Path
) -> None:
    home_with_everything(store, settings, base_model)
    made = back_up(settings, store, tmp_path / "night.tar")
    assert (tmp_path / "night.tar").stat().st_mode & 0o777 == 0o600
    assert not any(name.startswith("artifacts/training") for name in made.files)

    new = moved_to(settings, tmp_path / "new", other)
    assert restore(new, tmp_path / "night.tar").rows == made.rows
    with other.reading() as session:
        adapter = adapters.get(session, "v1")
        assert Path(adapter.path).is_relative_to(new.artifacts)
        assert manifest_sha256(folder_manifest(Path(adapter.path))) == adapter.sha256
        assert len(session.exec(select(Ticket)).all()) == 1
        assert verify(session, Seen(0, audit.GENESIS)).entries > 0
    assert (new.documents / "returns.md").read_text().startswith("# Returns")
    with pytest.raises(BadInput, match="files already"):
        restore(new, tmp_path / "night.tar")
    other.close()


def test_a_backup_under_load_has_whole_rows_only(store: Store, settings: Settings, tmp_path: Path) -> None:
    stopped = threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            with store.writing() as session:
                add_reviewed(session, f"Question {number}?", f"Answer {number}.")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            rows = back_up(settings, store, tmp_path / f"{number}.tar").rows
            # Ticket, message, answer and review are written together, so a whole copy has as many of each.
            assert rows["ticket"] == rows["message"] == rows["answer"] == rows["review"]
    finally:
        stopped.set()
        writer.join()


def test_a_damaged_backup_is_refused_and_leaves_nothing(
    sqlite_store: Store, settings: Settings, tmp_path: Path
) -> None:
    settings.documents.mkdir(parents=True)
    (settings.documents / "a.md").write_text("# A\n\nText.")
    file = tmp_path / "night.tar"
    back_up(settings, sqlite_store, file)
    with pytest.raises(BadInput, match="exists already"):
        back_up(settings, sqlite_store, file)
    whole = file.read_bytes()
    place = whole.index(b"# A\n\nText.")
    file.write_bytes(whole[:place] + b"# B" + whole[place + 3 :])
    new = settings.model_copy(update={"home": tmp_path / "new", "database_url": f"sqlite:///{tmp_path / 'new.db'}"})
    with pytest.raises(BadInput, match=r"documents/a\.md is not what was backed up"):
        restore(new, file)
    for damaged in (whole[:700], b"no tar", b""):
        file.write_bytes(damaged)
        with pytest.raises(BadInput, match="no backup"):
            restore(new, file)
    assert not new.documents.exists()


def test_the_facts_can_be_read_without_the_rest(sqlite_store: Store, settings: Settings, tmp_path: Path) -> None:
    back_up(settings, sqlite_store, tmp_path / "night.tar")
    with tarfile.open(tmp_path / "night.tar") as tar:
        first = tar.next()
        assert first is not None
        assert first.name == "backup.json"
        facts = json.load(tar.extractfile(first) or pytest.fail("no facts"))
    assert set(facts) == {"made_at", "files", "rows", "artifacts"}
