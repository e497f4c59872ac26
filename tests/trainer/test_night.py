"""Nights from end to end without a model: what they make, when they decline, and that they survive being killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pyarrow.parquet as pq
import pytest
from sqlmodel import Session, SQLModel, select

from serving.client import ModelClient
from store import evaluations, leases, nights, outbox
from store.artifacts import folder_manifest, manifest_sha256
from store.errors import BadInput, ModelUnavailable, NightschoolError
from store.session import Store
from store.settings import Settings
from store.tables import (
    Adapter,
    Dataset,
    DatasetRow,
    Evaluation,
    EvaluationItem,
    Night,
    OutboxMessage,
    Review,
    Ticket,
    TrainingRun,
)
from store.words import AdapterState, GateVerdict, ItemKind, NightState, Split, Stage, StageState
from tests.trainer.conftest import ModelInMemory, RunNight, trained
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer import evaluate, learn
from trainer.night import new_lease, run_night
from trainer.work import LEASE, Work

Row = TypeVar("Row", bound=SQLModel)
SUBJECTS = ("May dogs come", "Is tea free", "Who has keys", "Do we ship", "Any lockers", "Can I park", "Is it open")
PNG = b"\x89PNG\r\n\x1a\n"


def rows(session: Session, table: type[Row]) -> list[Row]:
    return list(session.exec(select(table)).all())


def test_a_night_makes_a_candidate_with_evidence_and_owes_a_card(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 60)
    with store.writing() as session:
        add_reviewed(session, "May dogs come to the star party?", correction="Yes, with a red collar light.")
    night = one_night()
    assert night.state is NightState.DONE
    assert night.outcome.startswith("v1: Promote")
    with store.reading() as session:
        assert [row.stage for row in nights.stages(session, 1)] == list(Stage)
        assert {row.state for row in nights.stages(session, 1)} == {StageState.DONE}
        assert nights.stages(session, 1)[1].result["loss"] == 0.5
        adapter, evaluation = rows(session, Adapter)[0], rows(session, Evaluation)[0]
        items = evaluations.items(session, 1)
        assert evaluations.of_candidate(session, "v1") == evaluations.latest(session) == evaluation
        card = outbox.by_key(session, "night-1")
    assert card is not None
    assert (card.kind, card.payload) == ("morning_card", {"night_id": 1})
    folder = Path(adapter.path)
    assert (adapter.name, adapter.state) == ("v1", AdapterState.CANDIDATE)
    assert folder.name == f"v1-{adapter.sha256[:12]}"
    published = {"adapter_config.json", "adapter_model.safetensors", "README.md", "manifest.json"}
    assert {file.name for file in folder.iterdir()} == published
    assert manifest_sha256(folder_manifest(folder)) == adapter.sha256
    assert folder.stat().st_mode & 0o777 == 0o555
    assert evaluation.verdict is GateVerdict.PROMOTE
    kinds = [item.kind for item in items]
    assert evaluation.metrics["items"] == kinds.count(ItemKind.HELD_OUT) == evaluation.metrics["cost"]["held_out_rows"]
    assert kinds.count(ItemKind.CORRECTION) == 1
    assert {measure["name"] for measure in evaluation.metrics["measures"] if measure["better"]} >= {
        "likelihood",
        "facts",
    }
    assert evaluation.metrics["corrections"] == {
        "asked": 1, "candidate": 0, "champion": 0, "fixed": [], "broken": [], "must_broken": [],
    }  # fmt: skip
    assert "Of 1 corrections it answers 0 right, base 0" in evaluation.summary
    better = evaluation.metrics["examples"]["better"]
    assert len(better) == 3
    assert set(better) <= {item.id for item in items}
    assert Path(evaluation.chart).read_bytes().startswith(PNG)


def test_the_dataset_says_what_is_in_it_and_rebuilds_to_the_same_bytes(
    store: Store, night_settings: Settings, without_model: None, tmp_path: Path
) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        add_reviewed(session, "May dogs come to the star party?", "No.", correction="Yes, on a lead.")
    hashes = []
    for home in ("one", "two"):
        settings = night_settings.model_copy(update={"home": tmp_path / home})
        run_night(settings, store, requested_by="test", say=print)
        with store.writing() as session:
            dataset = rows(session, Dataset)[-1]
            hashes.append(dataset.sha256)
            # The second night shall not find that it knows everything already.
            for run in rows(session, TrainingRun):
                run.finished_at = None
    assert hashes[0] == hashes[1]
    table = pq.read_table(dataset.path).to_pylist()
    manifest = json.loads((Path(dataset.path).parent / "manifest.json").read_text())
    assert manifest == dataset.manifest
    assert manifest["rows"] == {split: sum(row["split"] == split for row in table) for split in ("train", "held_out")}
    corrected = [row for row in table if row["weight"] != 1]
    assert [(row["completion"], row["weight"]) for row in corrected] == [
        ("Yes, on a lead.", night_settings.training.correction_weight)
    ]
    with store.reading() as session:
        origins = session.exec(select(DatasetRow).where(DatasetRow.dataset_id == dataset.id)).all()
        assert {(row.answer_id, row.split) for row in origins} == {(r["answer_id"], r["split"]) for r in table}
        assert len({ticket.split_group for ticket in rows(session, Ticket)}) == 41


def test_too_few_rows_decline_and_change_nothing(store: Store, one_night: RunNight, night_settings: Settings) -> None:
    add_distinct(store, 5)
    night = one_night()
    assert night.state is NightState.DECLINED
    assert "8 are needed" in night.outcome
    with store.reading() as session:
        assert rows(session, Dataset) == rows(session, TrainingRun) == rows(session, Adapter) == []
        assert {ticket.split_group for ticket in rows(session, Ticket)} == {""}
        assert outbox.by_key(session, "night-1") is not None
    assert not night_settings.artifacts.exists()


def test_nothing_new_declines_and_something_new_does_not(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 40)
    assert one_night().state is NightState.DONE
    second = one_night()
    assert second.state is NightState.DECLINED
    assert "Nothing new" in second.outcome
    with store.writing() as session:
        add_reviewed(session, "May dogs come to the star party?", correction="Yes, on a lead.")
    third = one_night()
    assert third.state is NightState.DONE
    assert third.outcome.startswith("v2: ")
    with store.reading() as session:
        first, last = rows(session, Evaluation)
        assert (first.champion, last.champion) == ("base", "base")


def test_the_champions_earlier_answers_are_taken_from_the_last_evaluation(
    store: Store, one_night: RunNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Counting(ModelInMemory):
        async def complete(self, model, messages, **parameters):  # type: ignore[no-untyped-def]
            asked.append(model)
            return await super().complete(model, messages, **parameters)

    add_distinct(store, 40)
    monkeypatch.setattr(evaluate, "ModelClient", Counting)
    one_night()
    first = asked.count("base")
    assert first == asked.count("v1") > 0
    add_distinct(store, 20, first=40)
    one_night()
    with store.reading() as session:
        held_out = len(evaluations.items(session, 2))
    assert asked.count("v2") == held_out > first
    assert asked.count("base") == held_out


def test_what_must_stay_right_is_asked_again_however_old_and_breaking_it_speaks_against_a_version(
    store: Store, night_settings: Settings, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 60)
    with store.writing() as session:
        kept = add_reviewed(session, "May dogs come?", correction="I do not know.")
        add_reviewed(session, "Who has the spare keys?", correction="Mei.")
        review = session.exec(select(Review).where(Review.answer_id == kept.id)).one()
        review.tags = ["billing", night_settings.gate.must_tag]
        asked = kept.id
    settings = night_settings.model_copy(
        update={"gate": night_settings.gate.model_copy(update={"most_corrections": 0})}
    )

    class Forgetful(ModelInMemory):
        async def complete(self, model, messages, **parameters):  # type: ignore[no-untyped-def]
            said = await super().complete(model, messages, **parameters)
            return replace(said, text="No idea!") if model != "base" and "dogs" in str(messages) else said

    monkeypatch.setattr(evaluate, "ModelClient", Forgetful)
    night = run_night(settings, store, requested_by="test", say=print)
    assert night.outcome.startswith("v1: Do not promote: it gets an answer that reviewers say must stay right wrong.")
    with store.reading() as session:
        (evaluation,) = rows(session, Evaluation)
        (again,) = [item for item in evaluations.items(session, 1) if item.kind == ItemKind.CORRECTION]
    assert again.answer_id == asked
    assert evaluation.verdict is GateVerdict.REJECT
    assert next(measure for measure in evaluation.metrics["measures"] if measure["name"] == "likelihood")["better"]
    assert evaluation.metrics["corrections"]["must_broken"] == evaluation.metrics["examples"]["broken"] == [again.id]


class Killed(BaseException):
    """The process died here."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Let the process die at the end of its transaction of this number, before that is committed."""
    written = 0
    writing = Work.writing

    @contextmanager
    def counted(self: Work) -> Iterator[Session]:
        nonlocal written
        with writing(self) as session:
            yield session
            written += 1
            if written == number:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Work, "writing", counted)
        yield


def test_a_night_killed_at_any_transaction_goes_on_and_makes_everything_once(
    night_settings: Settings, sqlite_store: Store, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    add_distinct(store, 40)

    def night() -> Night:
        return run_night(night_settings, store, requested_by="test", say=lambda _: None)

    kills = 0
    for number in range(1, 100):
        try:
            with killed_at(monkeypatch, number):
                night()
        except Killed:
            kills += 1
            assert night().state is NightState.DONE
        else:
            break
        with store.reading() as session:
            key = nights.recent(session, 1)[0].key
            made = [rows(session, table) for table in (Dataset, TrainingRun, Adapter, Evaluation)]
            assert [len(found) for found in made] == [kills] * 4
            assert len(session.exec(select(OutboxMessage)).all()) == kills
            items = session.exec(select(EvaluationItem).where(EvaluationItem.evaluation_id == kills)).all()
            assert len({item.answer_id for item in items}) == len(items) > 0
            assert {row.state for row in nights.stages(session, kills)} == {StageState.DONE}
        published = night_settings.artifacts / "adapters"
        assert {path.name.split("-")[0] for path in published.iterdir()} == {f"v{n + 1}" for n in range(kills)}
        assert len(list(published.iterdir())) == kills
        assert (night_settings.artifacts / "datasets" / key / "manifest.json").exists()
        with store.writing() as session:
            add_reviewed(session, f"{number} {SUBJECTS[number % 7]}?", correction=f"Yes, {number} times.")
    assert kills >= 15


def test_a_killed_holder_is_followed_when_its_lease_ends(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        assert leases.acquire(session, LEASE, "a process that was killed", 0.5) == 1
        nights.begin(session, nights.request(session, "schedule").id or 0)
    with pytest.raises(BadInput, match="running already"):
        one_night()
    time.sleep(0.6)
    night = one_night()
    assert (night.id, night.requested_by, night.state) == (1, "schedule", NightState.DONE)


CHILD = """
import os, sys, time
from tests.trainer import conftest
from trainer import learn, night, work
from store.session import Store
from store.settings import Settings

def train(*_):
    print("training", flush=True)
    time.sleep(60)

learn.train = train
night.new_lease = lambda store: work.NightLease(store, "child", 8.0)
settings = Settings()
night.run_night(settings, Store.of(settings), requested_by="child", say=lambda line: None)
"""


def test_a_night_whose_process_is_killed_goes_on_in_another(
    night_settings: Settings, sqlite_store: Store, without_model: None
) -> None:
    add_distinct(sqlite_store, 40)
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "NIGHTSCHOOL_HOME": str(night_settings.home),
        "NIGHTSCHOOL_MODELS_FOLDER": str(night_settings.models_folder),
    }
    environment.pop("NIGHTSCHOOL_MODELS", None)
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        with pytest.raises(BadInput, match="running already"):
            run_night(night_settings, sqlite_store, requested_by="test", say=print)
        process.kill()
    time.sleep(8.2)
    night = run_night(night_settings, sqlite_store, requested_by="test", say=print)
    assert (night.id, night.requested_by, night.state) == (1, "child", NightState.DONE)
    with sqlite_store.reading() as session:
        attempts = {row.stage: row.attempts for row in nights.stages(session, 1)}
    # What was done stays done; what a person takes up again counts from the start.
    assert attempts == dict.fromkeys(Stage, 1)


def test_a_process_that_slept_past_its_lease_may_not_write(
    store: Store, night_settings: Settings, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)

    def overtaken(job, on_progress, *_):  # type: ignore[no-untyped-def]
        with store.writing() as session:
            lease = session.get_one(leases.Lease, LEASE)
            lease.holder, lease.token = "another", lease.token + 1
        return trained(job, on_progress)

    monkeypatch.setattr(learn, "train", overtaken)
    with pytest.raises(NightschoolError, match="took over"):
        run_night(night_settings, store, requested_by="test", say=print)
    with store.reading() as session:
        assert rows(session, Adapter) == []
        assert nights.get(session, 1).state is NightState.RUNNING
        train = nights.stage(session, 1, Stage.TRAIN)
    assert train is not None
    assert train.state is StageState.RUNNING


def test_a_failed_stage_says_why_is_tried_again_and_owes_one_card_when_given_up(
    store: Store, night_settings: Settings, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)

    async def gone(self: ModelClient, *_: object, **__: object) -> None:
        raise ModelUnavailable("The model server cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(ModelInMemory, "complete", gone)
        with pytest.raises(NightschoolError, match="cannot be reached"):
            run_night(night_settings, store, requested_by="test", say=print)
    with store.reading() as session:
        night = nights.get(session, 1)
        stage = nights.stage(session, 1, Stage.EVALUATE)
        assert stage is not None
        assert stage.finished_at is not None
        again = nights.next_attempt(stage)
        assert again is not None
        assert nights.to_retry(session, stage.finished_at) is None
        assert nights.to_retry(session, again) == night
        assert rows(session, OutboxMessage) == []
    assert "tries again at" in night.outcome
    done = run_night(night_settings, store, requested_by="test", say=print)
    assert (done.id, done.state) == (1, NightState.DONE)
    with store.reading() as session:
        assert len(rows(session, TrainingRun)) == 1


def test_an_unforeseen_error_fails_the_night_with_a_sentence(
    store: Store, night_settings: Settings, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr(learn, "train", broken)
    with pytest.raises(NightschoolError, match="The stage train broke"):
        run_night(night_settings, store, requested_by="test", say=print)


def test_ctrl_c_leaves_a_night_that_only_a_person_takes_up_again(
    store: Store, night_settings: Settings, without_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(learn, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_night(night_settings, store, requested_by="test", say=print)
    with store.reading() as session:
        assert nights.unfinished(session) is None
        latest = nights.latest(session)
        assert latest is not None
        assert nights.to_retry(session, latest.created_at.replace(year=2099)) is None
    assert run_night(night_settings, store, requested_by="test", say=print).id == 1


def test_a_request_is_refused_while_another_is_open(store: Store) -> None:
    with store.writing() as session:
        first = nights.request(session, "U0MEI000001")
    with store.writing() as session, pytest.raises(BadInput, match="asked for or running"):
        nights.request(session, "U0RAVI00001")
    with store.writing() as session:
        nights.finish(session, first.id or 0, NightState.DECLINED, "nothing new")
        second = nights.request(session, "U0RAVI00001")
    assert first.key.endswith("-1")
    assert second.key.endswith("-2")


def test_held_out_tickets_stay_held_out_over_nights(store: Store, one_night: RunNight) -> None:
    held_out: set[int] = set()
    for night in range(3):
        add_distinct(store, 25, first=25 * night)
        one_night()
        with store.reading() as session:
            found = {r.ticket_id for r in rows(session, DatasetRow) if r.split is Split.HELD_OUT}
            learnt = {r.ticket_id for r in rows(session, DatasetRow) if r.split is Split.TRAIN}
        assert held_out < found
        assert not found & learnt
        held_out = found


def test_only_one_process_has_the_lease(store: Store) -> None:
    with new_lease(store) as ours, new_lease(store) as theirs:
        assert ours.token is not None
        assert theirs.token is None
    with new_lease(store) as again:
        assert again.token is not None
        assert again.token > (ours.token or 0)
