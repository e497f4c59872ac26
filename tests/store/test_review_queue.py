"""Which answer comes first, for whom, and how many wait; on both databases."""

import pytest
from sqlmodel import Session, select

from store import answers, review_claims, review_queue, review_signs, reviews, tickets
from store.review_claims import CLAIM
from store.review_queue import Facts
from store.review_signs import Counts
from store.reviews import Decision
from store.session import Store
from store.tables import Answer, NearBand, Proposal, ReviewClaim, ReviewDesk, now
from store.tickets import Question
from store.words import (
    Arm,
    DeliveryState,
    QueueFilter,
    ReviewState,
    Surface,
    TicketStatus,
    Verdict,
    Visibility,
    VoteValue,
)
from tests.bot.reviewing import add_answer, down


def desk(reviewer: str = "R1", **fields: object) -> ReviewDesk:
    return ReviewDesk(reviewer_id=reviewer, **{"channels": [], **fields})


def looked(session: Session, chosen: ReviewDesk) -> list[Facts]:
    return review_queue.ranked(session, chosen, review_signs.survey(session, chosen.reviewer_id))


def counted(session: Session, reviewer: str) -> Counts:
    return review_signs.counts(session, reviewer, review_signs.survey(session, reviewer))


def questions(store: Store, chosen: ReviewDesk | None = None) -> list[str]:
    with store.reading() as session:
        ranked = looked(session, chosen or desk())
        return [item.ticket.question for item in review_queue.items(session, ranked)]


def fill(store: Store) -> dict[str, int]:
    ids = {
        "sure of it": add_answer(store, "sure of it", mean_logprob=-0.1),
        "rather unsure": add_answer(store, "rather unsure", mean_logprob=-2.0),
        "it failed": add_answer(store, "it failed", state=DeliveryState.FAILED, text=""),
        "wants a human": add_answer(store, "wants a human", status=TicketStatus.ESCALATED, mean_logprob=-0.2),
        "one thumb": add_answer(store, "one thumb", votes=down(1)),
        "two thumbs": add_answer(store, "two thumbs", votes=[*down(2), VoteValue.UP]),
        "colleague replied": add_answer(store, "colleague replied"),
        "being written": add_answer(store, "being written", state=DeliveryState.STREAMING),
        "withdrawn": add_answer(store, "withdrawn", status=TicketStatus.WITHDRAWN),
        "imported": add_answer(store, "imported", arm=Arm.HUMAN),
        "my own": add_answer(store, "my own", asker="R1"),
        "all done": add_answer(store, "all done", votes=down(1)),
    }
    with store.writing() as session:
        session.add(Proposal(answer_id=ids["colleague replied"], person_id="U5", ts="1.2", text="Press F5."))
        reviews.decide(session, Decision(ids["all done"], "R1", Verdict.REJECTED))
    return ids


ORDER = ["two thumbs", "one thumb", "wants a human", "it failed", "colleague replied", "rather unsure", "sure of it"]


def test_the_queue_begins_with_what_teaches_most(store: Store) -> None:
    fill(store)
    assert questions(store) == ORDER
    with store.reading() as session:
        first = review_queue.items(session, looked(session, desk()))[0]
    assert (first.facts.up, first.facts.down) == (1, 2)
    assert "my own" in questions(store, desk("R2"))


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        (QueueFilter.VOTED_DOWN, ["two thumbs", "one thumb"]),
        (QueueFilter.ESCALATED, ["wants a human"]),
        (QueueFilter.UNSURE, ["rather unsure"]),
        (QueueFilter.PROPOSED, ["colleague replied"]),
        (QueueFilter.SECOND_OPINION, []),
    ],
)
def test_each_filter_shows_what_it_says_and_counts_it(store: Store, sign: QueueFilter, shown: list[str]) -> None:
    fill(store)
    assert questions(store, desk(filter=sign)) == shown
    with store.reading() as session:
        counts = counted(session, "R1")
    assert counts.showing(sign) == len(shown)
    assert (counts.waiting, counts.rejected, counts.accepted) == (7, 1, 0)


def test_channels_narrow_the_queue(store: Store) -> None:
    add_answer(store, "here", channel="C1")
    add_answer(store, "there", channel="C2")
    assert questions(store, desk(channels=["C2"])) == ["there"]
    assert set(questions(store, desk(channels=["C2", "C1"]))) == {"here", "there"}


def test_repeats_rank_higher_and_one_stands_for_all(store: Store) -> None:
    add_answer(store, "Where do I find the holiday calendar of our team?", thread_ts="1")
    add_answer(store, "where do i find the holiday calendar of our team", thread_ts="2")
    add_answer(store, "Where can I find the holiday calendar of our team?", thread_ts="3", asker="R1")
    add_answer(store, "Something else entirely", mean_logprob=-0.4)
    shown = questions(store, desk("R2"))
    assert shown == ["Where can I find the holiday calendar of our team?", "Something else entirely"]
    with store.reading() as session:
        first = looked(session, desk("R2"))[0]
        assert first.alike == 2
        answer = answers.get(session, first.id)
        found, more = review_queue.alike(session, answer, "R1")
        assert ([near.id for near, _ in found], more) == ([1, 2], 0)


def test_a_group_is_found_without_looking_at_every_question(store: Store) -> None:
    first = add_answer(store, "How do I reset my password for the mail server?", thread_ts="1")
    near = add_answer(store, "How do I reset my password for the mail server please?", thread_ts="2")
    other = add_answer(store, "Which printer is on the third floor?", thread_ts="3")
    empty = add_answer(store, "?!", thread_ts="4")
    with store.reading() as session:
        groups = [answers.get(session, id_).near_group for id_ in (first, near, other, empty)]
        leaders = set(session.exec(select(NearBand.answer_id)))
    assert groups == [first, first, other, None]
    assert leaders == {first, other}


def test_an_opening_question_is_grouped_when_it_is_taken_up(store: Store) -> None:
    def ask(ts: str, thread_ts: str, text: str) -> Answer:
        question = Question("k" + ts, "T", "C", thread_ts, ts, "U1", text, Surface.MENTION, Visibility.PUBLIC)
        with store.writing() as session:
            ticket = tickets.open_ticket(session, question)
            return answers.take_up(session, ticket, question.key, ts)

    first = ask("1.1", "1.1", "How do I join the guest network?")
    follow_up = ask("1.2", "1.1", "And how do I leave the guest network?")
    again = ask("2.1", "2.1", "How do I join the guest network??")
    assert (first.near_group, follow_up.near_group, again.near_group) == (first.id, None, first.id)


def test_one_reviewer_has_an_answer_until_the_claim_runs_out(store: Store) -> None:
    answer_id = add_answer(store, "q")
    with store.writing() as session:
        assert review_claims.claim(session, answer_id, "R1")
        assert review_claims.claim(session, answer_id, "R1")
        assert not review_claims.claim(session, answer_id, "R2")
        assert review_claims.holders(session) == {answer_id: "R1"}
        assert review_queue.take_next(session, desk("R2")) is None
        assert review_queue.take_next(session, desk("R1")) == answer_id
        session.get_one(ReviewClaim, answer_id).until = now() - CLAIM
    with store.writing() as session:
        assert review_claims.holders(session) == {}
        assert review_queue.take_next(session, desk("R2")) == answer_id
        review_claims.release(session, answer_id, "R1")
        assert review_claims.holders(session) == {answer_id: "R2"}


def test_a_reviewer_holds_one_claim_at_a_time(store: Store) -> None:
    first, second = add_answer(store, "one"), add_answer(store, "two")
    with store.writing() as session:
        assert review_claims.claim(session, first, "R1")
        assert review_claims.claim(session, second, "R1")
        assert review_claims.claim(session, first, "R2")
        assert review_claims.holders(session) == {first: "R2", second: "R1"}


def test_what_is_skipped_is_left_to_others_until_it_is_taken_back(store: Store) -> None:
    first, second = add_answer(store, "one", votes=down(1)), add_answer(store, "two")
    with store.writing() as session:
        review_claims.skip(session, first, "R1")
        review_claims.skip(session, first, "R1")
        assert review_queue.take_next(session, desk("R1")) == second
        assert review_queue.take_next(session, desk("R2")) == first
        mine, others = counted(session, "R1"), counted(session, "R2")
        assert (mine.waiting, mine.skipped, others.waiting, others.skipped) == (1, 1, 2, 0)
        review_claims.unskip(session, "R1")
        assert counted(session, "R1").waiting == 2


def test_the_queue_of_a_tag_shows_decisions(store: Store) -> None:
    tagged, plain = add_answer(store, "one"), add_answer(store, "two")
    with store.writing() as session:
        reviews.decide(session, Decision(tagged, "R1", Verdict.ACCEPTED, tags=("billing",)))
        reviews.decide(session, Decision(plain, "R1", Verdict.ACCEPTED))
        assert [made.question for made in review_queue.tagged(session, "billing")] == ["one"]
        assert review_queue.tagged(session, "bill") == []


def test_withdrawn_and_settled_answers_are_no_near_duplicates(store: Store) -> None:
    question = "How do I order a new badge?"
    ids = [add_answer(store, question, thread_ts=str(number)) for number in range(13)]
    with store.writing() as session:
        reviews.decide(session, Decision(ids[1], "R2", Verdict.ACCEPTED))
        tickets.withdraw(session, "T", "C", "2")
        review_claims.claim(session, ids[3], "R2")
    with store.reading() as session:
        found, more = review_queue.alike(session, answers.get(session, ids[0]), "R1")
        assert [answer.id for answer, _ in found] == ids[4:13]
        assert more == 0
        assert answers.get(session, ids[1]).review_state == ReviewState.SETTLED
