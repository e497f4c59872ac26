"""Held-out tickets: decided once, kept for ever, and never leaking into what is learnt."""

from datetime import UTC, datetime

from store.near_questions import NEAR, NearQuestions
from store.words import Split
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.split import SplitPlan, assign, plan_splits

TOPICS = ("refunds", "telescopes", "parking", "passwords", "holidays", "laptops", "postage", "gates", "dogs", "rentals")


def lesson(number: int, question: str, *, corrected: bool = False, ticket: int | None = None) -> Lesson:
    return Lesson(
        ticket_id=ticket or number,
        answer_id=number,
        review_id=number,
        prompt=[{"role": "user", "content": question}],
        completion="Yes.",
        corrected=corrected,
        decided_at=datetime(2026, 1, 1, tzinfo=UTC),
        opening=question,
    )


def questions(count: int, first: int = 1) -> list[Lesson]:
    return [
        lesson(number, f"{TOPICS[number % 10]} {number * 7919 % 100_003}, case {number * 104_729 % 99_991}: what now?")
        for number in range(first, first + count)
    ]


def plan(lessons: list[Lesson], before: SplitPlan | None = None, *, share: float = 0.3, seed: int = 17) -> SplitPlan:
    """Plan as a night does, given what the nights before have stored."""
    by_ticket = {lesson.ticket_id: lesson.opening for lesson in lessons}
    grouped = [(ticket, by_ticket[ticket], group) for ticket, group in before.groups.items()] if before else []
    return plan_splits(lessons, grouped, before.splits if before else {}, held_out_share=share, seed=seed)


def test_the_share_is_held_out_and_the_seed_decides_which() -> None:
    lessons = questions(1000)
    first, same, other = plan(lessons), plan(lessons), plan(lessons, seed=18)
    held_out = sum(first.split_of(number) is Split.HELD_OUT for number in range(1, 1001))
    assert 230 < held_out < 370
    assert first == same
    assert first.splits != other.splits


def test_decisions_are_kept_as_the_data_and_the_settings_change() -> None:
    state = None
    told: dict[int, Split] = {}
    for night in range(1, 9):
        state = plan(questions(50 * night), state, share=0.1 * night, seed=night)
        now = {number: state.split_of(number) for number in range(1, 50 * night + 1)}
        assert {number: now[number] for number in told} == told
        told = now
    assert Split.HELD_OUT in told.values()
    assert Split.TRAIN in told.values()


def test_a_near_duplicate_joins_its_group_whatever_comes_later() -> None:
    before = plan(questions(200))
    held_out = next(number for number in range(1, 201) if before.split_of(number) is Split.HELD_OUT)
    question = questions(200)[held_out - 1].opening
    later = plan([*questions(200), lesson(500, question.upper() + " Please.")], before)
    assert later.groups[500] == before.groups[held_out]
    assert later.split_of(500) is Split.HELD_OUT
    assert later.new_groups == {500: before.groups[held_out]}
    assert later.new_splits == {}


def test_a_correction_is_learnt_unless_its_group_is_held_out_already() -> None:
    plain = plan(questions(200))
    held_out = [number for number in range(1, 201) if plain.split_of(number) is Split.HELD_OUT]
    corrected = [lesson(row.answer_id, row.opening, corrected=True) for row in questions(200)]
    assert set(plan(corrected).splits.values()) == {Split.TRAIN}
    kept = plan(corrected, plain)
    assert [number for number in range(1, 201) if kept.split_of(number) is Split.HELD_OUT] == held_out


def test_all_answers_of_a_thread_stay_together() -> None:
    thread = [lesson(number, f"Follow-up {number}: {TOPICS[number % 10]}?", ticket=1) for number in range(1, 10)]
    lessons = [*thread, *questions(100, first=100)]
    placed = assign(lessons, plan(lessons), Tally())
    assert len({row.split for row in placed if row.ticket_id == 1}) == 1


def test_nothing_like_a_held_out_question_is_learnt() -> None:
    lessons = questions(300)
    planned = plan(lessons)
    held_out = next(row for row in lessons if planned.split_of(row.ticket_id) is Split.HELD_OUT)
    learnt = next(row for row in lessons if planned.split_of(row.ticket_id) is Split.TRAIN)
    # A follow-up in another thread repeats what a held-out ticket asks.
    leak = lesson(999, held_out.opening + " Thanks!", ticket=learnt.ticket_id)
    tally = Tally()
    placed = assign([*lessons, leak], planned, tally)
    assert tally.dropped == {Reason.NEAR_HELD_OUT: 1}
    assert leak.answer_id not in {row.answer_id for row in placed}
    measured = NearQuestions()
    for row in placed:
        if row.split is Split.HELD_OUT:
            measured.add(row.question, "held out")
    assert all(measured.nearest(row.question) is None for row in placed if row.split is Split.TRAIN)
    assert 0.5 < NEAR < 1
