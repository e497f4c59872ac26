"""A person ends a night: it stops where it is, says who wanted it, and goes on when it is asked for again."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from store import nights
from store.errors import BadInput
from store.session import Store
from store.settings import Settings
from store.tables import Adapter, OutboxMessage
from store.words import NightState, Stage, StageState
from tests.trainer.conftest import RunNight, trained
from tests.trainer.tickets import add_distinct
from trainer import learn
from trainer.train import TrainingJob, TrainingProgress, TrainingResult

MEI = "U0MEI000001"


def test_a_night_cancelled_while_it_trains_says_by_whom_and_goes_on_when_asked_for_again(
    store: Store, one_night: RunNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)
    waited: list[int] = []

    def cancelled(
        job: TrainingJob, on_progress: Callable[[TrainingProgress], None], on_wait: Callable[[], None], *_: Any
    ) -> TrainingResult:
        on_wait()
        with store.writing() as session:
            assert nights.cancel(session, MEI).key
        monkeypatch.setattr(learn, "NOTE_EVERY_S", 0.0)
        waited.append(1)
        on_wait()
        raise AssertionError("the training was not stopped")

    with monkeypatch.context() as patch:
        patch.setattr(learn, "train", cancelled)
        ended = one_night()
    assert waited
    assert (ended.state, ended.cancelled_by) == (NightState.CANCELLED, MEI)
    assert f"Cancelled by {MEI}" in ended.outcome
    with store.reading() as session:
        states = {row.stage: row.state for row in nights.stages(session, 1)}
        assert states == {Stage.CURATE: StageState.DONE, Stage.TRAIN: StageState.CANCELLED}
        assert nights.unfinished(session) is None
        assert nights.to_retry(session, ended.created_at + nights.GOES_ON_WITHIN) is None
        assert session.exec(select(OutboxMessage)).all() == []

    again = one_night()
    assert (again.id, again.state, again.cancelled_by, again.requested_by) == (1, NightState.DONE, "", "test")
    with store.reading() as session:
        assert {row.stage: row.attempts for row in nights.stages(session, 1)} == dict.fromkeys(Stage, 1)
        assert len(session.exec(select(Adapter)).all()) == 1


def test_progress_stops_a_cancelled_training_too(
    store: Store, one_night: RunNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)

    def cancelled(job: TrainingJob, on_progress: Callable[[TrainingProgress], None], *_: Any) -> TrainingResult:
        with store.writing() as session:
            nights.cancel(session, MEI)
        return trained(job, on_progress)

    monkeypatch.setattr(learn, "train", cancelled)
    assert one_night().state is NightState.CANCELLED


def test_a_night_that_was_only_asked_for_ends_at_once(store: Store) -> None:
    with store.writing() as session:
        asked = nights.request(session, MEI)
        assert nights.cancel(session, "command line (mei)").state is NightState.CANCELLED
        with pytest.raises(BadInput, match="nothing to cancel"):
            nights.cancel(session, MEI)
        again = nights.request(session, MEI)
        assert (again.id, again.state, again.cancelled_by) == (asked.id, NightState.REQUESTED, "")
        nights.begin(session, again.id or 0)
        nights.cancel(session, MEI)
        with pytest.raises(BadInput, match=f"{MEI} has cancelled this night already"):
            nights.cancel(session, "U0TOM000001")


def test_one_cancelled_long_ago_is_not_gone_on_with(store: Store) -> None:
    with store.writing() as session:
        old = nights.request(session, MEI)
        nights.cancel(session, MEI)
        old.created_at -= nights.GOES_ON_WITHIN
        session.add(old)
        session.flush()
        assert nights.request(session, MEI).id != old.id


def test_one_that_was_cancelled_while_nobody_worked_on_it_ends_at_the_next_look(
    store: Store, night_settings: Settings, one_night: RunNight
) -> None:
    with store.writing() as session:
        night = nights.request(session, "schedule")
        nights.begin(session, night.id or 0)
        nights.cancel(session, MEI)
    assert one_night().state is NightState.CANCELLED
    with store.reading() as session:
        assert nights.stages(session, 1) == []
