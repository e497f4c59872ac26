"""Canaries: which threads they answer, and how those are counted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from serving.rollout import model_for
from store import adapters, canaries
from store.canaries import Part
from store.canary_tally import Gone, tally
from store.errors import BadInput, NotFound
from store.session import Store
from store.tables import BASE, Canary, Message, Promotion, Ticket, now
from store.words import (
    AdapterState,
    Arm,
    CanaryOutcome,
    DeliveryState,
    PromotionKind,
    Role,
    Surface,
    Visibility,
    VoteValue,
)
from tests.store.test_adapters import move, register, state
from tests.trainer.tickets import add_unreviewed, cast

MEI = "U0MEI000001"


def ticket(session: Session, number: int, **changes: Any) -> Ticket:
    made = Ticket(
        team_id="T1",
        thread_ts=f"{number}.0",
        surface=Surface.MENTION,
        visibility=Visibility.PUBLIC,
        **{"channel_id": "C1", "asker_id": "U1", **changes},
    )
    session.add(made)
    session.flush()
    return made


def begin(store: Store, part: Part, name: str = "v1") -> int:
    with store.writing() as session:
        return canaries.start(session, name, part, MEI).id or 0


def test_a_share_of_the_new_threads_is_drawn_and_stays_drawn(store: Store) -> None:
    register(store, 1)
    with store.writing() as session:
        before = ticket(session, 0, created_at=now() - timedelta(minutes=1))
    begin(store, Part(0.25))
    with store.writing() as session:
        threads = [ticket(session, number) for number in range(1, 401)]
        first = [model_for(session, thread) for thread in threads]
        assert first == [model_for(session, thread) for thread in threads]
        assert set(first) == {("v1", Arm.CANARY), (BASE, Arm.CHAMPION)}
        assert 70 <= first.count(("v1", Arm.CANARY)) <= 130
        assert all(model_for(session, before) == (BASE, Arm.CHAMPION) for _ in range(5))
        assert [version.name for version in adapters.desired(session)] == ["v1"]
        assert state(session, "v1") == AdapterState.CANARY


def test_it_can_be_kept_to_channels_and_people(store: Store) -> None:
    register(store, 1)
    begin(store, Part(1.0, channels=["C1"], people=["U2"]))
    with store.writing() as session:
        there = ticket(session, 1)
        theirs = ticket(session, 2, channel_id="C2", asker_id="U2")
        elsewhere = ticket(session, 3, channel_id="C2")
        assert [model_for(session, thread)[0] for thread in (there, theirs, elsewhere)] == ["v1", "v1", BASE]


def test_what_makes_no_sense_is_refused(store: Store) -> None:
    register(store, 1, 2)
    move(store, "v2")
    with store.writing() as session:
        for part in (Part(0.0), Part(1.5), Part(1.0)):
            with pytest.raises(BadInput, match="canary"):
                canaries.start(session, "v1", part, MEI)
        with pytest.raises(NotFound):
            canaries.start(session, "v9", Part(0.1), MEI)
        with pytest.raises(BadInput, match="everybody already"):
            canaries.start(session, "v2", Part(0.1), MEI)
        canaries.start(session, "v1", Part(0.1), MEI)
        with pytest.raises(BadInput, match="v1 is answering already"):
            canaries.start(session, "v1", Part(0.1), MEI)


def test_once_ended_production_answers_its_threads_and_another_may_begin(store: Store) -> None:
    register(store, 1, 2)
    begun = begin(store, Part(1.0, channels=["C1"]))
    with store.writing() as session:
        thread = ticket(session, 1)
        assert model_for(session, thread)[0] == "v1"
        assert canaries.end(session, begun, CanaryOutcome.STOPPED, "", MEI)
        assert not canaries.end(session, begun, CanaryOutcome.ROLLED_BACK, "late")
        assert model_for(session, thread) == (BASE, Arm.CHAMPION)
        assert state(session, "v1") == AdapterState.CANDIDATE
        with pytest.raises(NotFound):
            canaries.end(session, 999, CanaryOutcome.STOPPED, "")
    begin(store, Part(0.5), "v2")
    with store.reading() as session:
        assert [(row.adapter, row.outcome) for row in canaries.latest(session, 5)] == [
            ("v2", CanaryOutcome.RUNNING),
            ("v1", CanaryOutcome.STOPPED),
        ]


def test_a_damaged_canary_answers_nothing(store: Store) -> None:
    register(store, 1)
    begin(store, Part(1.0, channels=["C1"]))
    with store.writing() as session:
        adapters.reject(session, "v1", "a file has changed")
        assert model_for(session, ticket(session, 1)) == (BASE, Arm.CHAMPION)


@pytest.mark.parametrize(("to", "outcome"), [("v1", CanaryOutcome.PROMOTED), ("v2", CanaryOutcome.STOPPED)])
def test_it_ends_when_production_moves(store: Store, to: str, outcome: CanaryOutcome) -> None:
    register(store, 1, 2)
    begun = begin(store, Part(0.1))
    with store.writing() as session:
        moved = Promotion(kind=PromotionKind.PROMOTE, adapter=to, previous=BASE, person_id=MEI)
        adapters.move_production(session, adapters.alias(session), moved)
        canaries.end_for(session, moved)
        canaries.end_for(session, moved)
        assert session.get_one(Canary, begun).outcome == outcome
        expected = AdapterState.CHAMPION if to == "v1" else AdapterState.CANDIDATE
        assert state(session, "v1") == expected


def test_a_version_that_was_in_production_is_retired_again_afterwards(store: Store) -> None:
    register(store, 1, 2)
    move(store, "v1")
    move(store, "v2")
    begun = begin(store, Part(0.1), "v1")
    with store.writing() as session:
        canaries.end(session, begun, CanaryOutcome.STOPPED, "", MEI)
        assert state(session, "v1") == AdapterState.RETIRED


def test_threads_are_counted_by_arm_and_by_what_went_wrong(store: Store) -> None:
    register(store, 1)
    with store.writing() as session:
        add_unreviewed(session, "asked before", "Old.", place={"created_at": now() - timedelta(minutes=5)})
    begun = begin(store, Part(0.25))
    with store.writing() as session:
        canary = {"arm": Arm.CANARY, "adapter": "v1"}
        add_unreviewed(session, "fine", "Yes.", **canary)
        disliked = add_unreviewed(session, "wrong", "No.", **canary)
        cast(session, disliked, "U0ANA000001", VoteValue.DOWN)
        add_unreviewed(session, "broken", "", **canary, state=DeliveryState.FAILED)
        add_unreviewed(session, "called", "Hm.", place={"escalated_to": "U0RAVI00001"})
        helped = add_unreviewed(session, "helped", "Hm.")
        session.add(
            Message(ticket_id=helped.ticket_id, ts="9.9", person_id="U0RAVI00001", role=Role.HELPER, text="It is so.")
        )
        add_unreviewed(session, "approved", "As ever.", approved_by=7)
        add_unreviewed(session, "a trial", "Tried.", arm=Arm.TRIAL)
        again = add_unreviewed(session, "asked twice", "Hm.", asker="U0TOM000001")
        again.near_group = again.id
        anew = add_unreviewed(session, "asked twice!", "Hm.", asker="U0TOM000001")
        anew.near_group = again.id
        other = add_unreviewed(session, "asked twice?", "Hm.", asker="U0ANA000001")
        other.near_group = again.id
    with store.reading() as session:
        counted = tally(session, session.get_one(Canary, begun))
    assert counted.canary == Gone(threads=3, wrong=1, failed=1)
    assert counted.champion == Gone(threads=5, wrong=3, failed=0)
    assert counted.share == 0.25


def test_only_threads_of_the_same_part_are_compared_where_some_of_it_is_drawn(store: Store) -> None:
    register(store, 1)
    begun = begin(store, Part(0.5, channels=["C0SUPPORT01"]))
    with store.writing() as session:
        add_unreviewed(session, "there", "Yes.", arm=Arm.CANARY)
        add_unreviewed(session, "elsewhere", "Yes.", ticket=ticket(session, 1, channel_id="C2"))
        row = session.get_one(Canary, begun)
        assert tally(session, row).champion.threads == 0
        row.share = 1.0
        counted = tally(session, row)
        assert counted.champion.threads == 1
        assert counted.share == 0.5
