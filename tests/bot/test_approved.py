"""An approved correction answers the same question at once, until a version that learnt it is promoted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, update

from bot.blocks.feedback import VOTE_ACTION
from store import adapters, review_undo, reviews
from store.approved import ApprovedAnswers, Asked
from store.reviews import Decision
from store.session import Store
from store.settings import Settings
from store.tables import Adapter, Alias, Answer, Dataset, DatasetRow, Night, Review, Ticket, TrainingRun, Vote, now
from store.wording import same_matter
from store.words import Arm, DeliveryState, ReviewState, Split, TicketStatus, Verdict, Visibility, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.bot.test_review import add_answer
from tests.fixtures_workspace import GENERAL, RAVI, SUPPORT, Person

Json = dict[str, Any]
QUESTION = "How do I reset my VPN password?"
SETTINGS = Settings()
ASKED = Asked(QUESTION, "U9", "T", "C", Visibility.PUBLIC)


def corrected(store: Store, question: str = QUESTION, text: str = "Call 4711.", **fields: Any) -> Review:
    answer_id = add_answer(store, question, **fields)
    with store.writing() as session:
        return reviews.decide(session, Decision(answer_id, "R1", Verdict.CORRECTED, text))


def found(store: Store, asked: Asked = ASKED, index: ApprovedAnswers | None = None) -> str | None:
    with store.reading() as session:
        approved = (index or ApprovedAnswers()).find(session, SETTINGS, asked)
    return approved.text if approved else None


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("how do i reset my vpn password", True),
        ("How can I reset my VPN password?", True),
        ("How do I reset my VPN pasword?", True),
        ("How do I reset my WLAN password?", False),
        ("How do I not reset my VPN password?", False),
        ("and then?", False),
        ("", False),
    ],
)
def test_near_enough_is_the_same_matter(store: Store, question: str, near: bool) -> None:
    corrected(store)
    assert found(store, replace(ASKED, text=question)) == ("Call 4711." if near else None)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("can a customer return opened goods after 14 days", "can a customer return opened goods after 30 days"),
        (
            "how does an admin enable the second factor",
            "how does an admin disable the second factor",
        ),
        ("may we ship batteries to france", "may we ship batteries from france"),
        ("how do i move a file from red to blue", "how do i move a file from blue to red"),
        ("what is a typical order", "what is an atypical order"),
    ],
)
def test_shared_letters_alone_are_not_enough(left: str, right: str) -> None:
    assert not same_matter(left, right)


def test_a_follow_up_gets_it_only_word_for_word(store: Store) -> None:
    corrected(store)
    assert found(store, replace(ASKED, opening=False)) == "Call 4711."
    assert found(store, replace(ASKED, opening=False, text=f"{QUESTION} please")) is None
    corrected(store, "and then?", "Wait.")
    assert found(store, replace(ASKED, opening=False, text="and then?")) is None


@pytest.mark.parametrize(
    ("source", "asked", "allowed"),
    [
        (Visibility.PUBLIC, replace(ASKED, channel_id="C2", visibility=Visibility.PRIVATE), True),
        (Visibility.PUBLIC, replace(ASKED, channel_id="D2", visibility=Visibility.DIRECT), True),
        (Visibility.PUBLIC, replace(ASKED, team_id="T2"), False),
        (Visibility.PRIVATE, ASKED, True),
        (Visibility.PRIVATE, replace(ASKED, channel_id="C2"), False),
        (Visibility.PRIVATE, replace(ASKED, channel_id="D1", person_id="U1", visibility=Visibility.DIRECT), False),
        (Visibility.DIRECT, replace(ASKED, person_id="U1"), False),
        (Visibility.DIRECT, replace(ASKED, person_id="U1", visibility=Visibility.DIRECT), True),
        (Visibility.DIRECT, replace(ASKED, visibility=Visibility.DIRECT), False),
    ],
)
def test_nothing_leaves_a_private_place(store: Store, source: Visibility, asked: Asked, allowed: bool) -> None:
    corrected(store)
    with store.writing() as session:
        session.exec(update(Ticket).values(visibility=source))
    assert (found(store, asked) is not None) == allowed


def _expire(session: Session) -> None:
    session.exec(update(Review).values(valid_until=now() - timedelta(seconds=1)))


def _withdraw(session: Session) -> None:
    session.exec(update(Ticket).values(status=TicketStatus.WITHDRAWN))


def _replace(session: Session) -> None:
    session.exec(update(Answer).values(state=DeliveryState.SUPERSEDED))


def _disagree(session: Session) -> None:
    session.add(Review(answer_id=1, reviewer_id="R2", verdict=Verdict.ACCEPTED))


def _take_back(session: Session) -> None:
    review_undo.undo(session, session.get_one(Review, 1).batch, "R1")


@pytest.mark.parametrize("change", [_expire, _withdraw, _replace, _disagree, _take_back])
def test_what_does_not_hold_any_more_is_not_given(store: Store, change: Callable[[Session], None]) -> None:
    corrected(store)
    index = ApprovedAnswers()
    assert found(store, index=index) == "Call 4711."
    with store.writing() as session:
        change(session)
    assert found(store, index=index) is None


def test_a_rejected_approved_answer_is_given_no_more_and_a_newer_one_wins(store: Store) -> None:
    review = corrected(store)
    served = add_answer(store, f"{QUESTION}!", text="Call 4711.", approved_by=review.id)
    with store.writing() as session:
        reviews.decide(session, Decision(served, "R2", Verdict.REJECTED))
    assert found(store) is None
    corrected(store, f"{QUESTION}?", "Call 4712.")
    corrected(store, f"{QUESTION}??", "Call 4713.")
    assert found(store) == "Call 4713."


def train(store: Store, review: Review, name: str = "v1", split: Split = Split.TRAIN) -> None:
    """A version that was trained on this decision, in production."""
    with store.writing() as session:
        night = Night(key=name)
        session.add(night)
        session.flush()
        dataset = Dataset(night_id=night.id or 0, path="p", sha256="s")
        session.add(dataset)
        session.flush()
        answer = session.get_one(Answer, review.answer_id)
        row = DatasetRow(
            dataset_id=dataset.id or 0, ticket_id=answer.ticket_id, answer_id=review.answer_id,
            review_id=review.id or 0, split=split,
        )  # fmt: skip
        run = TrainingRun(
            night_id=night.id or 0, dataset_id=dataset.id or 0, base_model="b", base_sha256="b", folder="f", seed=1
        )
        session.add_all([row, run])
        session.flush()
        version = Adapter(
            version=adapters.next_version(session), name=name, path=f"/adapters/{name}", sha256=name,
            base_model="b", base_sha256="b", rank=4, training_run_id=run.id,
        )  # fmt: skip
        session.add(version)


def produce(store: Store, name: str) -> None:
    with store.writing() as session:
        session.merge(Alias(name=adapters.PRODUCTION, adapter=name))


def test_it_is_given_until_a_version_that_learnt_it_is_promoted(store: Store) -> None:
    review = corrected(store)
    again = corrected(store, f"{QUESTION}!", "Call 4711")
    train(store, review, "v1")
    train(store, review, "v2", Split.HELD_OUT)
    for name, text in [("base", "Call 4711"), ("v2", "Call 4711"), ("v1", None), ("base", "Call 4711")]:
        produce(store, name)
        assert found(store) == text, name
    with store.writing() as session:
        session.exec(
            update(Review).where(Review.id == again.id).values(correction="Call 4712.", updated_at=now())  # type: ignore[arg-type]
        )
    produce(store, "v1")
    assert found(store) == "Call 4712.", "decided after the training"


def test_it_can_be_switched_off(store: Store) -> None:
    corrected(store)
    with store.reading() as session:
        settings = SETTINGS.model_copy(update={"approved_answers": False})
        assert ApprovedAnswers().find(session, settings, ASKED) is None


async def test_a_correction_serves_the_next_who_asks(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    await answered(bot, ana, f"@nightschool {QUESTION}")
    with bot.store.writing() as session:
        review = reviews.decide(session, Decision(1, RAVI, Verdict.CORRECTED, "Call *4711* & <!channel>."))
    ts = await tom.post(GENERAL, "@nightschool how can I reset my VPN password")
    message = await tom.wait_for_message(
        lambda shown: shown.get("thread_ts") == ts and "Approved by" in str(shown.get("blocks"))
    )
    assert "Call *4711*" in message["text"]
    assert "<!channel>" not in str(message["blocks"])
    assert f"Approved by <@{RAVI}> on <!date^" in str(message["blocks"])
    assert len(model.requests) == 1, "no model was asked"
    await until(lambda: rows(bot, Answer)[-1].state == DeliveryState.DELIVERED)
    given = rows(bot, Answer)[-1]
    assert (given.approved_by, given.adapter, given.arm, given.text) == (
        review.id, "base", Arm.CHAMPION, "Call *4711* & <!channel>.",
    )  # fmt: skip
    assert given.messages, "what would have been asked is kept for the lesson"
    assert given.review_state == ReviewState.SETTLED
    await tom.click(message, VOTE_ACTION, f"down:{given.id}")
    await until(lambda: [vote.value for vote in rows(bot, Vote)] == [VoteValue.DOWN])
    assert rows(bot, Answer)[-1].review_state == ReviewState.WAITING, "a reviewer looks at it again"
    with bot.store.writing() as session:
        review_undo.undo(session, review.batch, RAVI)
    assert rows(bot, Answer)[-1].approved_by is None


async def test_a_private_answer_is_approved_too(bot: RunningBot, ana: Person, tom: Person) -> None:
    await answered(bot, ana, f"@nightschool {QUESTION}")
    with bot.store.writing() as session:
        session.exec(update(Ticket).values(visibility=Visibility.PUBLIC))
        reviews.decide(session, Decision(1, RAVI, Verdict.CORRECTED, "Call 4711."))
    await tom.do("command", channel=SUPPORT, command="/ask", text=QUESTION)
    message = await tom.wait_for_message(lambda shown: "Call 4711." in shown.get("text", ""))
    assert "Approved by" in str(message["blocks"])
