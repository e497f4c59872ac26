"""What follows from several verdicts and from taking one back: status, correction owed, what may be learnt."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from store import answers, datasets, review_undo, reviews
from store.errors import BadInput, NotAllowed
from store.learning_policy import Objection, objection
from store.reviews import Decision
from store.session import Store
from store.settings import NightSettings
from store.tables import Dataset, DatasetRow, Night, OutboxMessage, Review, now
from store.words import OutboxState, ReviewState, Split, TicketStatus, Verdict
from tests.bot.reviewing import add_answer

A, C, R = Verdict.ACCEPTED, Verdict.CORRECTED, Verdict.REJECTED


def judge(
    store: Store, answer_id: int, reviewer: str, verdict: Verdict, correction: str = "", share: float = 1.0
) -> str:
    with store.writing() as session:
        return reviews.decide(session, Decision(answer_id, reviewer, verdict, correction=correction), share).batch


def owed(store: Store) -> list[tuple[str, str]]:
    with store.reading() as session:
        rows = session.exec(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        return [(row.kind, said(session, row)) for row in rows]


def said(session: Session, row: OutboxMessage) -> str:
    review = session.get(Review, row.payload.get("review_id", 0))
    return review.correction if review else ""


def standing(store: Store, answer_id: int) -> tuple[ReviewState, TicketStatus]:
    with store.reading() as session:
        answer, ticket = answers.with_ticket(session, answer_id)
        return answer.review_state, ticket.status


def learnt(store: Store) -> list[tuple[str, Objection | None]]:
    with store.reading() as session:
        rows = datasets.reviewed_answers(session)
        return [(row.review.correction, objection(row, NightSettings(), ())) for row in rows]


def test_two_who_agree_settle_it_and_the_first_one_s_words_count(store: Store) -> None:
    answer_id = add_answer(store, "q")
    judge(store, answer_id, "R1", C, "one")
    assert standing(store, answer_id) == (ReviewState.SECOND, TicketStatus.RESOLVED)
    assert learnt(store) == [("one", None)]
    judge(store, answer_id, "R2", C, "two")
    assert standing(store, answer_id) == (ReviewState.SETTLED, TicketStatus.RESOLVED)
    assert owed(store) == [("correction", "one")]
    assert learnt(store) == [("one", None)]
    with pytest.raises(BadInput, match="already decided"):
        judge(store, answer_id, "R3", A)


def test_what_two_disagree_on_is_not_learnt_until_a_third_decides(store: Store) -> None:
    answer_id = add_answer(store, "q")
    judge(store, answer_id, "R1", A)
    judge(store, answer_id, "R2", C, "two")
    assert standing(store, answer_id)[0] == ReviewState.THIRD
    assert [reason for _, reason in learnt(store)] == [Objection.CONTESTED]
    assert owed(store) == []
    with pytest.raises(BadInput, match="You have already decided"):
        judge(store, answer_id, "R2", A)
    judge(store, answer_id, "R3", C, "three")
    assert standing(store, answer_id)[0] == ReviewState.SETTLED
    assert learnt(store) == [("two", None)]
    assert owed(store) == [("correction", "two")]


def test_of_three_different_verdicts_the_third_counts(store: Store) -> None:
    answer_id = add_answer(store, "q")
    judge(store, answer_id, "R1", A)
    judge(store, answer_id, "R2", R)
    judge(store, answer_id, "R3", C, "three")
    assert learnt(store) == [("three", None)]
    assert owed(store) == [("correction", "three")]


def test_a_correction_past_its_date_is_not_learnt(store: Store) -> None:
    answer_id = add_answer(store, "q")
    soon = now() + timedelta(days=1)
    with store.writing() as session:
        reviews.decide(session, Decision(answer_id, "R1", C, correction="one", valid_until=soon))
    assert learnt(store) == [("one", None)]
    with store.writing() as session:
        session.exec(select(Review)).one().valid_until = now()
    assert learnt(store) == [("one", Objection.EXPIRED)]


def test_an_undone_decision_leaves_nothing_behind(store: Store) -> None:
    answer_id = add_answer(store, "q", status=TicketStatus.ESCALATED)
    batch = judge(store, answer_id, "R1", C, "one", share=0.0)
    assert standing(store, answer_id) == (ReviewState.SETTLED, TicketStatus.RESOLVED)
    with store.writing() as session:
        assert review_undo.undo(session, batch, "R1") == [answer_id]
    assert standing(store, answer_id) == (ReviewState.WAITING, TicketStatus.ESCALATED)
    assert owed(store) == []
    assert learnt(store) == []
    again = judge(store, answer_id, "R1", C, "two", share=0.0)
    assert again != batch
    assert owed(store) == [("correction", "two")]


def test_a_posted_correction_is_owed_its_withdrawal(store: Store) -> None:
    answer_id = add_answer(store, "q")
    batch = judge(store, answer_id, "R1", C, "one")
    with store.writing() as session:
        message = session.exec(select(OutboxMessage)).one()
        message.state, message.attempts, message.message_ts = OutboxState.SENT, 1, "5.5"
    with store.writing() as session:
        review_undo.undo(session, batch, "R1")
    assert [kind for kind, _ in owed(store)] == ["correction", "correction_withdrawn"]


def test_taking_the_first_verdict_back_lets_the_second_one_count(store: Store) -> None:
    answer_id = add_answer(store, "q", status=TicketStatus.ESCALATED)
    first = judge(store, answer_id, "R1", C, "one")
    judge(store, answer_id, "R2", C, "two")
    with store.writing() as session:
        review_undo.undo(session, first, "R1", 1.0)
    assert standing(store, answer_id) == (ReviewState.SECOND, TicketStatus.RESOLVED)
    assert owed(store) == [("correction", "two")]
    with store.reading() as session:
        assert session.exec(select(Review)).one().status_before == TicketStatus.ESCALATED


def test_what_cannot_be_taken_back(store: Store) -> None:
    answer_id = add_answer(store, "q")
    batch = judge(store, answer_id, "R1", A)

    def refused(by: str, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words), store.writing() as session:
            review_undo.undo(session, batch, by)

    refused("R2", NotAllowed, "Only the reviewer")
    with store.writing() as session:
        review = session.exec(select(Review)).one()
        ticket_id = answers.get(session, answer_id).ticket_id
        session.add(night := Night(key="2026-11-24"))
        session.flush()
        session.add(dataset := Dataset(night_id=night.id or 0, path="p", sha256="s"))
        session.flush()
        row = DatasetRow(
            dataset_id=dataset.id or 0,
            ticket_id=ticket_id,
            answer_id=answer_id,
            review_id=review.id or 0,
            split=Split.TRAIN,
        )
        session.add(row)
    refused("R1", BadInput, "learnt")
    with store.writing() as session:
        session.delete(session.exec(select(DatasetRow)).one())
        session.exec(select(Review)).one().created_at = now() - review_undo.UNDO
    refused("R1", BadInput, "ten minutes")
    with store.reading() as session:
        assert review_undo.undoable(session, "R1") == []
    with pytest.raises(BadInput, match="already"), store.writing() as session:
        review_undo.undo(session, "", "R1")
