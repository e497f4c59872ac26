"""A migration that is killed leaves the database as it was, and the next start ends it."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import store as package
from store.session import Store
from tests.conftest import new_postgres_database

HEAD = ScriptDirectory(str(Path(package.__file__).parent / "migrations")).get_current_head()
SEED = 3

KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from store.session import Store
at, seen = int(sys.argv[2]), 0

@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, parameters, context, many):
    global seen
    if statement.lstrip().upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE", "DROP")):
        seen += 1
        if seen == at:
            print(statement.split("(")[0], flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

Store(sys.argv[1]).migrate()
print(seen)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return new_postgres_database(request.getfixturevalue("postgres_url"))


def changes(url: str, killed_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, url, str(killed_at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def tables(url: str) -> list[str]:
    store = Store(url)
    try:
        return [name for name in inspect(store.engine).get_table_names() if name != "alembic_version"]
    finally:
        store.close()


def killed_and_ended(url: str, kills: int) -> int:
    """Kill the migration at drawn changes, see that none is kept, and let it end; how many changes it then makes."""
    chosen = random.Random(SEED)
    for at in [1, *(chosen.randrange(2, 60) for _ in range(kills - 1))]:
        done = changes(url, at)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert done.stdout.strip(), "control: a change was under way"
        assert tables(url) == [], f"killed after {at} changes (seed {SEED})"
    ended = changes(url, 0)
    assert ended.returncode == 0, ended.stderr
    store = Store(url)
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    store.close()
    return int(ended.stdout)


def test_a_killed_migration_leaves_nothing_and_the_next_start_ends_it(empty: str) -> None:
    assert killed_and_ended(empty, 2) > 60


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_killed_migrations_leave_nothing(empty: str) -> None:
    print(f"50 kills within {killed_and_ended(empty, 50)} changes: 0 kept a part (seed {SEED})")
