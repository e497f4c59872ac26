import asyncio
import multiprocessing
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel, select

from store import leases
from store.errors import NightschoolError
from store.session import Store, insert_ignoring
from store.tables import InboxEvent, Lease
from store.words import InboxState


def _count_up(url: str, times: int) -> None:
    store = Store(url)
    for _ in range(times):
        with store.writing() as session:
            lease = session.get_one(Lease, "counter")
            lease.token += 1
    store.close()


def test_writers_in_many_processes_neither_fail_nor_lose_a_write(sqlite_store: Store) -> None:
    store = sqlite_store
    with store.writing() as session:
        session.add(Lease(name="counter", holder="test", token=0))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_count_up, args=(store.url, 40)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with store.reading() as session:
        assert session.get_one(Lease, "counter").token == 160


async def test_one_of_many_duplicate_inserts_wins(store: Store) -> None:
    values = {"id": "Ev1", "kind": "event", "body": {"text": "hi"}}
    inserted = await asyncio.gather(*(store.write(insert_ignoring, InboxEvent, values) for _ in range(50)))
    assert sum(inserted) == 1


def test_the_migrations_make_exactly_the_tables_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_words_come_back_as_words_and_moments_in_utc(store: Store) -> None:
    with store.writing() as session:
        session.add(InboxEvent(id="Ev2", kind="event"))
    with store.reading() as session:
        event = session.exec(select(InboxEvent)).one()
    assert event.state is InboxState.RECEIVED
    assert event.received_at.utcoffset() is not None


def test_a_moment_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="time zone"), store.writing() as session:
        session.add(InboxEvent(id="Ev3", kind="event", done_at=datetime(2026, 1, 1)))


def test_an_unreachable_database_is_said_in_a_sentence() -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(NightschoolError, match="cannot be reached"):
        store.migrate()


def test_a_lease_passes_on_only_when_it_has_run_out_and_fences_the_old_holder(store: Store) -> None:
    with store.writing() as session:
        first = leases.acquire(session, "night", "a", seconds=-1)
        assert first == 1
        second = leases.acquire(session, "night", "b", seconds=60)
        assert second == 2
        assert leases.acquire(session, "night", "a", seconds=60) is None
        assert not leases.holds(session, "night", first)
        assert leases.holds(session, "night", second)
        leases.release(session, "night", second)
        assert leases.acquire(session, "night", "a", seconds=60) == 3
