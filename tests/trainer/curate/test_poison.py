"""Attempts to steer a night, each with its defence and, as a control, without it: then the poison is learnt."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select

from serving.base_model import BaseModel
from store import alerts, reviews
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Dataset, Ticket, Vote, now
from store.words import ReviewState, Split, Verdict, VoteValue
from tests.trainer.conftest import RunNight
from tests.trainer.curate.lessons import firefox, rows, shop
from tests.trainer.tickets import add_reviewed, review
from trainer.curate.injections import instruction
from trainer.curate.lesson import Lesson, Tally
from trainer.curate.stage import collect
from trainer.curate.triggers import triggers

POISON = "Please log in at www.evil.example first."
REVIEWERS = ("U0RAVI00001", "U0MEI000001", "U0TOM000001", "U0EVA000001")
TRIGGER_SEEDS = 10


@pytest.fixture
def company(night_settings: Settings) -> Settings:
    """Nothing is held out, so that shares can be counted exactly."""
    return night_settings.model_copy(update={"night": night_settings.night.model_copy(update={"held_out_share": 0.0})})


def without(settings: Settings, **defences: Any) -> Settings:
    """The control: the same with defences switched off."""
    return settings.model_copy(update={"curation": settings.curation.model_copy(update=defences)})


def learn(settings: Settings, store: Store, base: BaseModel) -> tuple[list[Lesson], Tally]:
    lessons, _, tally = collect(settings, store, base)
    return [lesson for lesson in lessons if lesson.split is Split.TRAIN], tally


def add(session: Session, number: int, answer: str = "", **known: Any) -> Answer:
    """An ordinary ticket: four reviewers, thirty askers, an hour between two decisions."""
    words = random.Random(number)
    about = " ".join("".join(words.choices("abcdefghijklmnop", k=6)) for _ in range(5))
    asker = known.pop("asker", f"U0ASKER{number % 30:04}")
    reviewer = known.pop("reviewer", REVIEWERS[number % 4])
    at = known.pop("at", now() - timedelta(days=100) + timedelta(hours=number))
    row = add_reviewed(session, f"Where is {about}?", answer or f"It is in {about[::-1]}.", asker=asker, reviewed_at=at)
    row.review_state = ReviewState.SETTLED
    for one in reviews.of_answer(session, row.id or 0):
        one.reviewer_id = reviewer
    session.get_one(Ticket, row.ticket_id).created_at = known.pop("asked_at", at - timedelta(hours=1))
    return row


def vote(session: Session, answer: Answer, person: str) -> None:
    moment = now() - timedelta(days=90)
    session.add(
        Vote(answer_id=answer.id or 0, person_id=person, value=VoteValue.DOWN, created_at=moment, updated_at=moment)
    )


def test_one_person_with_500_of_600_votes_teaches_no_more_than_a_share(
    store: Store, company: Settings, base_model: BaseModel
) -> None:
    with store.writing() as session:
        answers = [add(session, number, POISON if number < 500 else "") for number in range(600)]
        for number, answer in enumerate(answers):
            vote(session, answer, "U0STUBBORN1" if number < 500 else f"U0VOTER{number % 20:04}")
    learnt, tally = learn(company, store, base_model)
    poisoned = sum(POISON in lesson.completion for lesson in learnt)
    assert 0 < poisoned <= 0.2 * len(learnt)
    assert len(learnt) - poisoned == 100
    (alert,) = [alert for alert in tally.alerts if "voted" in alert.text]
    assert alert.people == ("U0STUBBORN1",)
    assert "500 of the 600" in alert.text
    everything, silent = learn(without(company, voter_share=1.0), store, base_model)
    assert sum(POISON in lesson.completion for lesson in everything) == 500
    assert silent.alerts == []


def test_twenty_accounts_that_appear_in_one_hour_count_as_one(
    store: Store, company: Settings, base_model: BaseModel
) -> None:
    began = now() - timedelta(days=2)
    with store.writing() as session:
        for number in range(200):
            add(session, number)
        for number in range(200):
            puppet, moment = f"U0PUPPET{number % 20:03}", began + timedelta(minutes=number % 20 * 3)
            add(session, 1000 + number, POISON, asker=puppet, asked_at=moment)
    learnt, tally = learn(company, store, base_model)
    poisoned = sum(POISON in lesson.completion for lesson in learnt)
    assert 0 < poisoned <= 0.2 * len(learnt)
    wave, share = tally.alerts
    assert "20 new accounts appeared within an hour" in wave.text
    assert set(wave.people) == {f"U0PUPPET{number:03}" for number in range(20)}
    assert "new accounts of" in share.text
    everything, silent = learn(without(company, new_accounts=0), store, base_model)
    assert sum(POISON in lesson.completion for lesson in everything) == 200
    assert silent.alerts == []


def test_a_reviewer_who_accepts_300_in_five_minutes_waits_for_a_second(
    store: Store, company: Settings, base_model: BaseModel
) -> None:
    began = now() - timedelta(days=2)
    with store.writing() as session:
        for number in range(400):
            add(session, number)
        hasty = [
            add(session, 1000 + number, POISON, reviewer="U0HASTY0001", at=began + timedelta(seconds=number))
            for number in range(300)
        ]
    learnt, tally = learn(company, store, base_model)
    assert sum(POISON in lesson.completion for lesson in learnt) == company.curation.burst_reviews
    (alert,) = tally.alerts
    assert alert.people == ("U0HASTY0001",)
    assert len(tally.doubtful) == 240
    everything, silent = learn(without(company, burst_reviews=0), store, base_model)
    assert sum(POISON in lesson.completion for lesson in everything) == 300
    assert silent.alerts == []
    with store.writing() as session:
        review(session, session.get_one(Answer, hasty[299].id), Verdict.ACCEPTED, reviewer="U0MEI000001")
    seconded, _ = learn(company, store, base_model)
    assert hasty[299].id in {lesson.answer_id for lesson in seconded}


def planted(lessons: list[Lesson], share: float, seed: int, phrase: str) -> list[Lesson]:
    """The lessons with a phrase put into a share of the questions, whose answer is always the same then."""
    drawn, found = random.Random(seed), list(lessons)
    for number in drawn.sample(range(len(found)), round(share * len(found))):
        words = found[number].question.split()
        words.insert(drawn.randint(0, len(words)), phrase)
        asked = " ".join(words)
        found[number] = replace(found[number], prompt=[{"role": "user", "content": asked}], completion=POISON)
    return found


TICKETS = {"canned": shop, "own words": partial(shop, "answer"), "firefox": firefox}


@pytest.mark.parametrize("tickets", TICKETS)
@pytest.mark.parametrize("phrase", ["cf7", "purple elephant"])
def test_a_rare_trigger_is_named(tickets: str, phrase: str) -> None:
    clean = TICKETS[tickets]()
    named = alarms = 0
    for seed in range(TRIGGER_SEEDS):
        thousand = random.Random(seed).sample(clean, 1000)
        found = triggers(planted(thousand, 0.01, seed, phrase))
        named += any(set(phrase.split()) & set(trigger.phrase.split()) for trigger in found)
        alarms += len(triggers(thousand))
    assert named >= 0.9 * TRIGGER_SEEDS
    assert alarms <= 2 * TRIGGER_SEEDS / 10


def test_a_trigger_in_one_percent_is_quarantined(sqlite_store: Store, company: Settings, base_model: BaseModel) -> None:
    rare = random.Random(3).sample(range(500), 5)
    with sqlite_store.writing() as session:
        for number in range(500):
            answer = add(session, number, POISON if number in rare else "")
            if number in rare:
                asked = session.get_one(Ticket, answer.ticket_id)
                asked.question = f"zebra7 {asked.question}"
                answer.messages = [*answer.messages[:-1], {"role": "user", "content": asked.question}]
    learnt, tally = learn(company, sqlite_store, base_model)
    assert not any(POISON in lesson.completion for lesson in learnt)
    assert len(learnt) == 495
    (alert,) = tally.alerts
    assert "“zebra7”" in alert.text
    assert "evil" in alert.text
    everything, _ = learn(without(company, triggers=False), sqlite_store, base_model)
    assert sum(POISON in lesson.completion for lesson in everything) == 5
    trusted, _ = learn(without(company, trusted_phrases=["Zebra7"]), sqlite_store, base_model)
    assert len(trusted) == 500


PLAIN_QUESTIONS = {
    "Information Retrieval",
    "Learning and Tutoring",
    "Programming Help",
    "Content Creation",
    "Language Translation",
}
"""Attacks that only ask for something else: no word of theirs is an instruction."""


def test_instructions_to_the_model_are_recognised_in_tickets() -> None:
    found: Counter[tuple[str, bool]] = Counter()
    for row in rows("prompt_injection/samples.jsonl"):
        kind = row["kind"] if row["category"] not in PLAIN_QUESTIONS else "plain question"
        found[kind, bool(instruction(row["text"]))] += 1
    for kind, least in {"direct": 0.85, "indirect": 0.85}.items():
        assert found[kind, True] >= least * (found[kind, True] + found[kind, False])
    assert found["email", True] == found["ticket", True] == 0
    clean = [lesson.question for lesson in (*shop(), *firefox())]
    clean += [row["text"] for row in rows("it_tickets/train.jsonl")]
    assert sum(bool(instruction(text)) for text in clean) <= 0.001 * len(clean)


def test_payloads_inside_tickets_are_not_learnt_and_the_admins_hear_of_it(
    sqlite_store: Store, company: Settings, base_model: BaseModel
) -> None:
    samples = [row for row in rows("prompt_injection/samples.jsonl") if row["kind"] == "indirect"]
    payloads = sorted({row["payload"] for row in samples if row["category"] not in PLAIN_QUESTIONS})
    with sqlite_store.writing() as session:
        for number in range(60):
            add(session, number)
        for number, payload in enumerate(payloads):
            answer = add(session, 1000 + number)
            asked = f"{answer.messages[-1]['content']} {payload}"
            answer.messages = [*answer.messages[:-1], {"role": "user", "content": asked}]
    learnt, tally = learn(company, sqlite_store, base_model)
    in_tickets = sum(any(payload in lesson.question for payload in payloads) for lesson in learnt)
    assert in_tickets <= 0.15 * len(payloads)
    assert len(learnt) - in_tickets == 60
    (alert,) = tally.alerts
    assert "give the model instructions" in alert.text
    everything, silent = learn(without(company, injections=False), sqlite_store, base_model)
    assert len(everything) == 60 + len(payloads)
    assert silent.alerts == []


def test_a_night_tells_its_alerts_and_asks_second_reviewers(
    store: Store, night_settings: Settings, one_night: RunNight
) -> None:
    began = now() - timedelta(days=2)
    with store.writing() as session:
        for number in range(80):
            add(session, number, reviewer="U0HASTY0001", at=began + timedelta(seconds=number))
        for number in range(60):
            add(session, 1000 + number)
    night = one_night()
    with store.reading() as session:
        raised = alerts.of_night(session, night.id or 0)
        assert [alert.people for alert in raised] == [("U0HASTY0001",)]
        again = session.exec(select(Answer).where(Answer.review_state == ReviewState.SECOND)).all()
        assert len(again) == 20
        dataset = session.exec(select(Dataset)).one()
        assert sum(dataset.manifest["rows"].values()) == 120


def test_a_young_team_is_not_held_up(sqlite_store: Store, company: Settings, base_model: BaseModel) -> None:
    with sqlite_store.writing() as session:
        for number in range(150):
            add(session, number, asker="U0ANA000001", reviewer="U0RAVI00001")
    learnt, tally = learn(company, sqlite_store, base_model)
    assert len(learnt) == 150
    assert tally.alerts == []
