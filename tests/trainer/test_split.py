"""Held-out tickets: decided once, kept for ever, and never leaking into what is learnt."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from store.near_questions import NEAR, NearQuestions
from store.words import Split
from tests.conftest import SHARED_DATA
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


def asked_by(lessons: list[Lesson], people: int) -> list[Lesson]:
    """The lessons with askers of whom a few ask much and many ask once, as in a real team."""
    return [replace(each, asker=f"U{int(people * (each.answer_id * 0.618 % 1) ** 2):04}") for each in lessons]


def sides(lessons: list[Lesson], plan: SplitPlan) -> dict[str, set[Split]]:
    """On which sides each person's lessons end up."""
    found: dict[str, set[Split]] = defaultdict(set)
    for each in assign(lessons, plan, Tally()):
        found[each.asker].add(each.split)
    return found


def test_where_many_ask_nobody_is_on_both_sides_and_the_share_still_holds() -> None:
    lessons = asked_by(questions(1500), 200)
    state = plan(lessons, share=0.2)
    found = sides(lessons, state)
    assert all(len(splits) == 1 for splits in found.values())
    held_out = [each for each in assign(lessons, state, Tally()) if each.split is Split.HELD_OUT]
    assert 0.05 < len(held_out) / len(lessons) < 0.4


def test_in_a_small_team_groups_decide_until_it_has_grown_and_then_no_decision_changes() -> None:
    few = asked_by(questions(300), 5)
    before = plan(few)
    assert not [group for group in before.splits if group.startswith("asker:")]
    assert any(len(splits) == 2 for splits in sides(few, before).values())
    many = [*few, *(replace(each, asker=f"N{each.answer_id}") for each in questions(300, first=301))]
    after = plan(many, before)
    assert {group: after.splits[group] for group in before.splits} == before.splits
    assert all(len(splits) == 1 for splits in sides(many, after).values())
    assert plan(many, after).splits == after.splits


def test_a_ticket_that_joins_both_sides_is_used_for_neither() -> None:
    lessons = asked_by(questions(600), 100)
    state = plan(lessons)
    held_out = next(each for each in lessons if state.split_of(each.ticket_id) is Split.HELD_OUT)
    learnt = next(each for each in lessons if state.split_of(each.ticket_id) is Split.TRAIN)
    copies = [
        replace(lesson(9001, held_out.opening), asker=learnt.asker),
        replace(lesson(9002, learnt.opening), asker=held_out.asker),
    ]
    tally = Tally()
    kept = assign([*lessons, *copies], plan([*lessons, *copies], state), tally)
    assert {each.answer_id for each in kept}.isdisjoint({9001, 9002})
    assert tally.dropped[Reason.OTHER_SIDE] >= 2


@pytest.mark.parametrize(("name", "question"), [("shop_support", "question"), ("firefox_support", "body")])
def test_nothing_leaks_as_real_tickets_arrive_day_by_day(name: str, question: str) -> None:
    file = SHARED_DATA / name / ("train.jsonl" if name == "shop_support" else "tickets.jsonl")
    if not file.exists():
        pytest.skip(f"the public set {name} is not at hand")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows.sort(key=lambda row: (row.get("night", 0), row.get("created", "")))
    real = [lesson(number, row[question][:2000]) for number, row in enumerate(rows[:1500], start=1)]
    lessons = asked_by(real, 300)
    # Planted: the same words again by another, nearly the same words, and a second question in the same thread.
    for number, each in enumerate(lessons[:1400:20]):
        lessons += [
            replace(lesson(20_000 + number, each.opening), asker=f"P{number}"),
            replace(lesson(30_000 + number, f"Hi! {each.opening} Thanks"), asker=f"Q{number}"),
            replace(lesson(40_000 + number, "And what of the other?", ticket=each.ticket_id), asker=each.asker),
        ]
    state: SplitPlan | None = None
    told: dict[str, Split] = {}
    for end in (500, 1000, len(lessons)):
        state = plan(lessons[:end], state, share=0.15)
        assert {group: state.splits[group] for group in told} == told
        told = dict(state.splits)
        _no_leak(assign(lessons[:end], state, Tally()), state)


def _no_leak(kept: list[Lesson], state: SplitPlan) -> None:
    learnt = [each for each in kept if each.split is Split.TRAIN]
    measured = [each for each in kept if each.split is Split.HELD_OUT]
    assert len(measured) > 20
    for shared in ("asker", "ticket_id"):
        assert {getattr(each, shared) for each in learnt}.isdisjoint({getattr(each, shared) for each in measured})
    assert {state.groups[each.ticket_id] for each in learnt}.isdisjoint({state.groups[e.ticket_id] for e in measured})
    near = NearQuestions()
    for each in measured:
        near.add(each.question, each.question)
    assert [each.question for each in learnt if near.nearest(each.question) is not None] == []
