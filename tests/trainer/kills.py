"""A night in a process group of its own that can be killed, and what must hold when the next start has ended it.

Curation, training (a real process on a tiny model, preferences and lone thumbs after it), every file and every row are
real; the served model is replaced at its edge, so that a night takes seconds.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlmodel import Session, func, select

from store import nights
from store.artifacts import TEMPORARY, folder_manifest, manifest_sha256, sha256_of
from store.failpoints import VARIABLE
from store.session import Store
from store.tables import Adapter, Dataset, Evaluation, EvaluationItem, Night, OutboxMessage, Ticket, TrainingRun, now
from store.words import NightState, StageState, VoteValue
from tests.trainer.tickets import add_distinct, add_reviewed, add_unreviewed, cast

ROOT = Path(__file__).parents[2]
TICKETS, CORRECTED, CHECKED, VOTED = 30, 4, 3, 6
VOTER = "U0VOTER0001"
LEASE_S = 1.5

CHILD = f"""
from functools import partial
from tests.trainer.conftest import FleetInMemory, ModelInMemory
from store.session import Store
from store.settings import Settings
from trainer import evaluate, learn, night, work

evaluate.Fleet, evaluate.ModelClient = FleetInMemory, ModelInMemory
learn.TrainingJob = partial(learn.TrainingJob, checkpoint_every_s=0.0)
night.new_lease = lambda store: work.NightLease(store, str(night.os.getpid()), {LEASE_S})
settings = Settings()
night.run_night(settings, Store.of(settings), requested_by="test", say=lambda line: print(line, flush=True))
"""


@dataclass
class School:
    """A home and a database with reviewed tickets, in which nights can be run and killed."""

    home: Path
    url: str
    model: Path

    def fill(self) -> None:
        """Make the tables, and store tickets to learn from."""
        store = Store(self.url)
        store.migrate()
        add_distinct(store, TICKETS)
        with store.writing() as session:
            for number in range(CORRECTED):
                add_reviewed(session, f"May {number} dogs come?", "No.", correction=f"Yes, {number} dogs on a lead.")
            for number in range(CHECKED):
                about, then = hashlib.sha256(str(number).encode()).hexdigest(), now() - timedelta(days=2)
                row = add_reviewed(session, f"Who paints {about}?", "The desk.", reviewed_at=now() - timedelta(days=1))
                cast(session, row, VOTER, VoteValue.UP, then)
            for number in range(VOTED):
                about = hashlib.sha256(f"voted {number}".encode()).hexdigest()
                cast(session, add_unreviewed(session, f"Who finds {about}?", f"Room {number}."), VOTER, VoteValue.UP)
        store.close()

    def copy(self, home: Path) -> "School":
        """The same in another home and another database."""
        shutil.copytree(self.home, home)
        parsed = make_url(self.url)
        if parsed.get_backend_name() == "sqlite":
            return School(home, f"sqlite:///{home / 'nightschool.db'}", self.model)
        name = f"{parsed.database}_{home.name.replace('-', '_')}"
        _on_server(self.url, f"CREATE DATABASE {name} TEMPLATE {parsed.database}")
        return School(home, parsed.set(database=name).render_as_string(hide_password=False), self.model)

    def drop(self) -> None:
        """Remove both."""
        for folder in self.home.rglob("*"):
            if folder.is_dir():
                folder.chmod(0o755)
        shutil.rmtree(self.home)
        parsed = make_url(self.url)
        if parsed.get_backend_name() != "sqlite":
            _on_server(self.url, f"DROP DATABASE {parsed.database} WITH (FORCE)")

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Start a night, or go on with the one that was killed."""
        settings = {
            "HOME": str(self.home),
            "DATABASE_URL": self.url,
            "BASE_MODEL": str(self.model),
            "NIGHT__HELD_OUT_SHARE": "0.2",
            "TRAINING__PREFERENCE": "auto",
            "TRAINING__MIN_PAIRS": "1",
            "TRAINING__THUMBS": "auto",
            "TRAINING__MIN_THUMBS": "1",
            "TRAINING__RANK": "2",
            "TRAINING__EPOCHS": "0.3",
            "TRAINING__THREADS": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", CHILD],
            env={
                **_clean(),
                "PYTHONPATH": str(ROOT),
                **{f"NIGHTSCHOOL_{k}": v for k, v in settings.items()},
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> str:
        """End a night, or run one; the sha256 of its dataset. A killed holder's lease is waited for."""
        time.sleep(LEASE_S)
        if self.ended():
            return self.check()
        said = ""
        for _ in range(3):
            process = self.start()
            said, _ = process.communicate(timeout=180)
            if process.returncode == 0:
                return self.check()
            time.sleep(LEASE_S)
        raise AssertionError(f"the night did not end well: {said}")

    def killed_at(self, failpoint: str) -> bool:
        """Run a night that is killed at a failpoint; whether it was."""
        process = self.start(**{VARIABLE: f"{failpoint}=kill"})
        said, _ = process.communicate(timeout=180)
        # A point of the training process takes that one alone; the night then fails, and says so. Once that process has
        # left its result, the night has no need of it any more.
        return process.returncode == -signal.SIGKILL or "was killed" in said or failpoint == "training.done"

    def killed_after(self, seconds: float) -> bool:
        """Run a night and kill its whole process group after some seconds; whether it was still running."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def ended(self) -> bool:
        """Whether its night was done before whatever came after."""
        store = Store(self.url)
        with store.reading() as session:
            states = session.exec(select(Night.state)).all()
        store.close()
        return list(states) == [NightState.DONE]

    def check(self) -> str:
        """Everything is there once, whole and consistent; the sha256 of the night's dataset."""
        store = Store(self.url)
        with store.reading() as session:
            found = self._check(session)
        store.close()
        return found

    def _check(self, session: Session) -> str:
        (night,) = session.exec(select(Night)).all()
        assert night.state is NightState.DONE
        assert {row.state for row in nights.stages(session, night.id or 0)} == {StageState.DONE}
        (dataset,) = session.exec(select(Dataset)).all()
        (run,) = session.exec(select(TrainingRun)).all()
        (adapter,) = session.exec(select(Adapter)).all()
        (evaluation,) = session.exec(select(Evaluation)).all()
        assert run.finished_at is not None
        assert {line["method"] for line in run.metrics} == {"SFT", "DPO", "KTO"}
        assert dataset.sha256 == sha256_of(Path(dataset.path))
        folder = Path(adapter.path)
        assert manifest_sha256(folder_manifest(folder)) == adapter.sha256
        assert list((self.home / "artifacts" / "adapters").iterdir()) == [folder]
        items = session.exec(select(EvaluationItem)).all()
        assert len({item.answer_id for item in items}) == len(items) > 0
        assert Path(evaluation.chart).is_file()
        assert session.exec(select(func.count()).select_from(OutboxMessage)).one() == 1
        assert session.exec(select(func.count()).select_from(Ticket)).one() == TICKETS + CORRECTED + CHECKED + VOTED
        assert list((self.home / "artifacts").rglob(f"{TEMPORARY}*")) == []
        return dataset.sha256


def _clean() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSCHOOL_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
