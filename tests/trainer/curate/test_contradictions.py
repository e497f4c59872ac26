"""Contradictory answers to one question: what counts as one, and that neither is learnt until a reviewer has looked."""

import pytest
from sqlmodel import Session, select

from serving.base_model import BaseModel
from store import contradictions, review_queue, review_signs, review_undo, reviews
from store.import_tickets import IMPORT
from store.reviews import Decision
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Contradiction, OutboxMessage, Review, Ticket
from store.words import Arm, QueueFilter, ReviewState, Verdict
from tests.trainer.conftest import RunNight
from tests.trainer.curate.lessons import firefox, lesson, shop
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer.curate.conflicts import conflict
from trainer.curate.contradictions import Resolved, without_contradictions
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.split import plan_splits
from trainer.curate.stage import collect

QUESTION = "When does the repair desk in the north wing open?"
RAVI, MEI = "U0RAVI00001", "U0MEI000001"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("It opens at 9 am.", "We open at 10:00."),
        ("Ask Mira in room 4.", "Ask Tom."),
        ("Dial 212.", "The desk is on extension 305."),
        ("Look at https://a.example/hours", "See b.example."),
        ("It takes 5 days.", "Refunds take 14 days, sorry."),
        ("Yes, on a lead.", "No."),
        ("Dogs may come.", "Dogs may not come."),
        ("At reception.", "In the kitchen."),
    ],
)
def test_answers_that_cannot_both_be_right(left: str, right: str) -> None:
    assert conflict(QUESTION, left, right)
    assert conflict(QUESTION, right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("It opens at 2 pm.", "The desk opens at 14:00."),
        ("Restart the router and wait a minute.", "Wait a minute after you restart the router."),
        ("Dial 212.", "Dial 212 or write to desk@a.example."),
        ("1. Log in. 2. Click on it.", "Log in, then click on it within 5 minutes."),
        ("Order 17 is on its way.", "Order 17 comes tomorrow, it is on its way."),
    ],
)
def test_answers_that_say_the_same_in_other_words(left: str, right: str) -> None:
    assert not conflict(QUESTION, left, right)


def found(lessons: list[Lesson]) -> Tally:
    tally = Tally()
    plan = plan_splits(lessons, [], {}, held_out_share=0.1, seed=17)
    without_contradictions(lessons, plan.groups, Resolved({}), tally)
    return tally


def test_questions_that_differ_in_matter_are_not_one() -> None:
    asked = ["How do I enable the two step login at work?", "How do I disable the two step login at work?"]
    assert found([lesson(1, asked[0], "Dial 212."), lesson(2, asked[1], "Dial 305.")]).contradictions == []
    assert found([lesson(1, asked[0], "Dial 212."), lesson(2, f"Hi! {asked[0]}", "Dial 305.")]).contradictions == [
        (1, 2)
    ]


def test_a_later_correction_needs_no_second_look() -> None:
    tally = found([lesson(1, QUESTION, "At 9 am."), lesson(2, f"Please: {QUESTION}", "At 10 am.", corrected=True)])
    assert tally.contradictions == []
    assert tally.dropped == {Reason.SUPERSEDED: 1}


def test_clean_data_holds_few_contradictions() -> None:
    for lessons, most in ((shop(), 0), (shop("answer"), 0.002), (firefox(), 0)):
        assert found(lessons).dropped.get(Reason.CONTRADICTED, 0) <= most * len(lessons)


def two(session: Session) -> tuple[int, int]:
    """Two accepted answers to one question that contradict each other, in tickets 1 and 2."""
    first = add_reviewed(session, QUESTION, "It opens at 9 am.")
    second = add_reviewed(session, f"Hello, {QUESTION}", "It opens at 10 am.", asker="U0TOM000001")
    for answer in (first, second):
        answer.review_state = ReviewState.SETTLED
    return first.id or 0, second.id or 0


def completions(settings: Settings, store: Store, base: BaseModel) -> list[str]:
    lessons, _, _ = collect(settings, store, base)
    return [lesson.completion for lesson in lessons if "repair desk" in lesson.question]


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("reviewer", [RAVI, MEI])
def test_a_night_sends_both_back_and_a_review_of_one_settles_it(
    store: Store,
    night_settings: Settings,
    base_model: BaseModel,
    one_night: RunNight,
    verdict: Verdict,
    reviewer: str,
) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        first, second = two(session)
    one_night()
    assert completions(night_settings, store, base_model) == []
    with store.reading() as session:
        survey = review_signs.survey(session, reviewer)
        assert survey.signs[QueueFilter.CONTRADICTED] == [first, second]
        ranked = review_queue.ranked(session, review_queue.desk_of(session, reviewer), survey)
        shown = {item.facts.id: item for item in review_queue.items(session, ranked)}
        assert [other.text for other in shown[first].contradicts] == ["It opens at 10 am."]
    correction = "It opens at 11 am." if verdict is Verdict.CORRECTED else ""
    with store.writing() as session:
        reviews.decide(session, Decision(first, reviewer, verdict, correction))
        states = {answer.id: answer.review_state for answer in session.exec(select(Answer))}
    right = {
        Verdict.ACCEPTED: ["It opens at 9 am."],
        Verdict.CORRECTED: ["It opens at 11 am."],
        Verdict.REJECTED: ["It opens at 10 am."],
    }[verdict]
    assert states[second] == ReviewState.SETTLED
    if reviewer == RAVI or verdict is Verdict.ACCEPTED:
        assert states[first] == ReviewState.SETTLED
        assert completions(night_settings, store, base_model) == right
    else:
        # Another reviewer disagrees with the first, so a third decides.
        assert states[first] == ReviewState.THIRD
        assert completions(night_settings, store, base_model) == ["It opens at 10 am."]


def test_switched_off_both_are_learnt(sqlite_store: Store, night_settings: Settings, base_model: BaseModel) -> None:
    with sqlite_store.writing() as session:
        two(session)
    assert completions(night_settings, sqlite_store, base_model) == []
    off = night_settings.curation.model_copy(update={"contradictions": False})
    control = night_settings.model_copy(update={"curation": off})
    assert len(completions(control, sqlite_store, base_model)) == 2


def test_undo_opens_the_contradiction_again(store: Store) -> None:
    with store.writing() as session:
        first, second = two(session)
        contradictions.record(session, [(second, first)])
        made = reviews.decide(session, Decision(second, MEI, Verdict.ACCEPTED))
        assert contradictions.upheld(session) == {(first, second): second}
        review_undo.undo(session, made.batch, MEI)
        assert contradictions.upheld(session) == {}
        assert session.get_one(Answer, first).review_state == ReviewState.CONTRADICTED
        assert session.get_one(Answer, second).review_state == ReviewState.CONTRADICTED


def test_what_is_no_contradiction_any_more_leaves_the_queue(store: Store) -> None:
    with store.writing() as session:
        first, second = two(session)
        contradictions.record(session, [(first, second)])
        contradictions.record(session, [(first, second)])
        assert len(session.exec(select(Contradiction)).all()) == 1
        contradictions.record(session, [])
        assert session.exec(select(Contradiction)).all() == []
        assert session.get_one(Answer, first).review_state == ReviewState.SETTLED


def test_an_imported_answer_can_be_reviewed_once_it_is_sent_back(store: Store) -> None:
    with store.writing() as session:
        first, second = two(session)
        answer = session.get_one(Answer, first)
        answer.arm = Arm.HUMAN
        session.get_one(Ticket, answer.ticket_id).team_id = IMPORT
        session.exec(select(Review).where(Review.answer_id == first)).one().reviewer_id = IMPORT
        assert review_signs.waiting(session, RAVI) == 0
        contradictions.record(session, [(first, second)])
        assert review_signs.waiting(session, RAVI) == 2
        reviews.decide(session, Decision(first, RAVI, Verdict.CORRECTED, "It opens at 11 am."))
        assert answer.review_state == ReviewState.SETTLED
        assert session.exec(select(OutboxMessage)).all() == [], "an import has no thread to post into"
        assert review_signs.waiting(session, RAVI) == 0
