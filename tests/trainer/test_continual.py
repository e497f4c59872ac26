"""Where a night starts, what is shown again when it goes onward, and that the lineage follows."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlmodel import select

from store import adapters, erasure, lineage
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Alias, Dataset, TrainingRun
from tests.trainer.conftest import trained
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer import learn
from trainer.curate.continual import with_replay
from trainer.curate.freeze import Row
from trainer.night import run_night
from trainer.train import TrainingJob, TrainingResult

EVE = "U0EVE000001"


def row(answer_id: int, weight: int = 1, split: str = "train") -> Row:
    return {
        "prompt": [{"role": "user", "content": f"question {answer_id}"}],
        "completion": "answer",
        "rejected": "",
        "weight": weight,
        "corrected": weight > 1,
        "answer_id": answer_id,
        "ticket_id": answer_id,
        "review_id": answer_id,
        "split": split,
    }


def test_replay_draws_its_share_of_what_is_known_and_lets_the_rest_rest() -> None:
    rows = [*(row(number) for number in range(1, 101)), row(101, split="held_out")]
    known = {(number, number) for number in range(1, 81)}
    shown = with_replay(rows, known, 0.5, "a night")
    weights = {each["answer_id"]: each["weight"] for each in shown}
    assert [each["answer_id"] for each in shown] == list(range(1, 102))
    assert all(weights[number] == 1 for number in (*range(81, 101), 101))
    drawn = [number for number in range(1, 81) if weights[number]]
    assert len(drawn) == 20
    assert shown == with_replay(rows, known, 0.5, "a night")
    another = with_replay(rows, known, 0.5, "another night")
    assert [each["answer_id"] for each in another if each["answer_id"] <= 80 and each["weight"]] != drawn
    none = with_replay(rows, known, 0.0, "a night")
    assert sum(each["weight"] for each in none if each["split"] == "train") == 20


def test_corrections_come_back_more_often() -> None:
    rows = [*(row(number, weight=4) for number in range(1, 101)), *(row(number) for number in range(101, 301))]
    known = {(number, number) for number in range(1, 201)}
    drawn: Counter[str] = Counter()
    for night in range(30):
        for each in with_replay(rows, known, 0.2, str(night)):
            if each["answer_id"] <= 200 and each["weight"]:
                drawn["correction" if each["corrected"] else "accepted"] += 1
    assert sum(drawn.values()) == 30 * 25
    assert 2.5 < drawn["correction"] / drawn["accepted"] < 5


class Nights:
    """Nights one after the other, with what the trainings were given."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.jobs: list[TrainingJob] = []

    def train(self, job: TrainingJob, on_progress: Any, *_: Any) -> TrainingResult:
        self.jobs.append(job)
        result = trained(job, on_progress)
        # 30 seconds a step: a hundred rows take some minutes.
        line = {"method": "SFT", "step": 10, "loss": 0.5, "learning_rate": 1e-4, "seconds": 300.0}
        return replace(result, metrics=[line])

    def run(self, **training: Any) -> Dataset:
        changed = self.settings.training.model_copy(update=training)
        settings = self.settings.model_copy(update={"training": changed})
        run_night(settings, self.store, requested_by="test", say=print)
        with self.store.reading() as session:
            return session.exec(select(Dataset).order_by(Dataset.id.desc())).first()  # type: ignore[union-attr,return-value]

    def promote(self, name: str) -> None:
        with self.store.writing() as session:
            session.merge(Alias(name="production", adapter=name))


@pytest.fixture
def nights(night_settings: Settings, store: Store, without_model: None, monkeypatch: pytest.MonkeyPatch) -> Nights:
    kept = Nights(night_settings, store)
    monkeypatch.setattr(learn, "train", kept.train)
    return kept


def test_the_first_night_and_one_that_fits_start_from_the_base_model(store: Store, nights: Nights) -> None:
    add_distinct(store, 40)
    first = nights.run()
    nights.promote("v1")
    with store.writing() as session:
        add_reviewed(session, "May dogs come to the star party?", correction="Yes, on a lead.")
    second = nights.run(max_minutes=600)
    assert [each.manifest["start"]["parent"] for each in (first, second)] == [BASE, BASE]
    assert "takes about" in second.manifest["start"]["reason"]
    assert [job.parent for job in nights.jobs] == [None, None]


def test_what_does_not_fit_goes_onward_from_production_and_the_lineage_follows(store: Store, nights: Nights) -> None:
    add_distinct(store, 40)
    first = nights.run()
    nights.promote("v1")
    with store.writing() as session:
        new = add_reviewed(session, "May dogs come to the star party?", correction="Yes, on a lead.")
    second = nights.run(max_minutes=0.1)
    start = second.manifest["start"]
    learnt = first.manifest["rows"]["train"]
    assert (start["parent"], start["new"], start["replayed"], start["resting"]) == ("v1", 1, 1, learnt - 1)
    assert "onward from v1, since everything would take about" in nights.jobs[1].name
    with store.reading() as session:
        assert nights.jobs[1].parent == Path(adapters.get(session, "v1").path)
        assert len(lineage.tickets_of(session, "v2")) == learnt + 1
    weights = {each["answer_id"]: each["weight"] for each in pq.read_table(second.path).to_pylist()}
    assert weights[new.id] == nights.settings.training.correction_weight
    with store.writing() as session:
        # The next night shall not find that it knows everything already.
        for run in session.exec(select(TrainingRun)):
            run.parameters = {}
    assert nights.run(max_minutes=0.1, rank=8).manifest["start"]["reason"].endswith("the settings ask for 8")


def test_nobody_who_was_forgotten_lives_on_in_a_version_that_is_gone_on_with(store: Store, nights: Nights) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        for number in range(8):
            add_reviewed(session, f"Where is shelf {number * 31}?", f"In hall {number}.", asker=EVE)
    nights.run()
    nights.promote("v1")
    with store.writing() as session:
        erasure.forget(session, EVE)
    start = nights.run(start="onward").manifest["start"]
    assert start["parent"] == BASE
    assert "forgotten" in start["reason"]
