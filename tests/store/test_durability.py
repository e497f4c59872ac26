"""What was confirmed is there after SIGKILL, and nothing reads before it writes without the lock."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from store.session import Store
from store.tables import InboxEvent, Lease
from tests.conftest import new_postgres_database

SEED = 7

WRITER = """
import sys
from store.session import Store
from store.tables import InboxEvent
url, prefix, early = sys.argv[1], sys.argv[2], sys.argv[3] == "early"
store = Store(url)
number = 0
while True:
    if early:
        print(f"{prefix}-{number}", flush=True)
    with store.writing() as session:
        session.add(InboxEvent(id=f"{prefix}-{number}", kind="event"))
    if not early:
        print(f"{prefix}-{number}", flush=True)
    number += 1
"""
"""Confirms each row on standard output when it is committed; `early` does so before, and must be caught."""


def killed_writer(url: str, prefix: str, after_s: float, *, early: bool = False) -> set[str]:
    """The ids that a writer had confirmed when it was killed at some moment after its first."""
    command = [sys.executable, "-c", WRITER, url, prefix, "early" if early else "late"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    # The last line may have been cut by the kill.
    return set((first + rest).split("\n")[:-1])


def stored(url: str) -> set[str]:
    store = Store(url)
    with store.reading() as session:
        found = set(session.exec(select(InboxEvent.id)))
    store.close()
    return found


def after_kills(url: str, kills: int, *, early: bool = False) -> tuple[int, int]:
    """How many rows writers had confirmed that were killed again and again, and how many of them are lost."""
    chosen = random.Random(SEED)
    confirmed: set[str] = set()
    for number in range(kills):
        confirmed |= killed_writer(url, f"k{number}", chosen.uniform(0, 0.1), early=early)
    return len(confirmed), len(confirmed - stored(url))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    on_sqlite = request.param == "sqlite"
    address = f"sqlite:///{tmp_path / 'killed.db'}"
    if not on_sqlite:
        address = new_postgres_database(request.getfixturevalue("postgres_url"))
    store = Store(address)
    store.migrate()
    store.close()
    return address


def test_a_killed_writer_loses_nothing_that_it_confirmed(url: str) -> None:
    confirmed, lost = after_kills(url, 3)
    print(f"3 kills: {lost} of {confirmed} confirmed rows lost (seed {SEED})")
    assert confirmed > 10
    assert lost == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_killed_writers_lose_nothing(url: str) -> None:
    confirmed, lost = after_kills(url, 200)
    print(f"200 kills: {lost} of {confirmed} confirmed rows lost (seed {SEED})")
    assert lost == 0


def test_the_control_a_writer_that_confirms_too_early_is_caught(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'early.db'}"
    store = Store(url)
    store.migrate()
    # The write lock is held, so that the early word is never kept.
    with store.writing():
        confirmed = killed_writer(url, "early", 0.0, early=True)
    assert confirmed == {"early-0"}
    assert stored(url) == set()
    store.close()


def test_reading_before_writing_needs_the_lock_from_the_beginning(sqlite_store: Store) -> None:
    with sqlite_store.writing() as session:
        session.add(Lease(name="counter", holder="test", token=0))
    with Session(sqlite_store.engine) as deferred, Session(sqlite_store.engine) as other:
        row = deferred.get_one(Lease, "counter")
        other.get_one(Lease, "counter").token = 5
        other.commit()
        row.token += 1
        with pytest.raises(OperationalError, match="locked"):
            deferred.commit()
    with sqlite_store.writing() as session:
        session.get_one(Lease, "counter").token += 1
    with sqlite_store.reading() as session:
        assert session.get_one(Lease, "counter").token == 6
