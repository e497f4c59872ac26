"""What the documents lack goes to whom it concerns: one message for each gap, which grows and ends."""

from typing import Any

import pytest
from sqlmodel import col, select, update

from bot.blocks.gap import REOPEN_ACTION, WRITTEN_ACTION
from store import gaps, review_undo, reviews
from store.errors import BadInput
from store.gaps import Gap
from store.reviews import Decision
from store.session import Store
from store.tables import Answer, KnowledgeGap, OutboxMessage, Review, Ticket
from store.words import Cause, GapState, OutboxState, Verdict, Visibility, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.reviewing import add_answer
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ADMINS, RAVI, SUPPORT, Person

Json = dict[str, Any]
OWNERS = {"handbook/printers.md": "U0OWNER0001"}


def decided(store: Store, question: str, verdict: Verdict = Verdict.REJECTED, **fields: Any) -> Review:
    answer_id = add_answer(store, question, **fields)
    text = "Upstairs." if verdict == Verdict.CORRECTED else ""
    with store.writing() as session:
        review = reviews.decide(session, Decision(answer_id, "R1", verdict, text, Cause.KNOWLEDGE))
    file_all(store)
    return review


def file_all(store: Store) -> None:
    """What the outbox's worker does with the decisions that it was owed."""
    with store.writing() as session:
        owed = select(OutboxMessage).where(OutboxMessage.kind == gaps.KIND, OutboxMessage.state == OutboxState.WAITING)
        for message in session.exec(owed).all():
            if "answer_id" in message.payload:
                gaps.file_answer(session, message.payload["answer_id"], OWNERS)
            message.state = OutboxState.SENT


def gap_of(store: Store, gap_id: int = 1) -> Gap:
    with store.reading() as session:
        return gaps.get(session, gap_id)


def all_gaps(store: Store) -> list[KnowledgeGap]:
    with store.reading() as session:
        return list(session.exec(select(KnowledgeGap).order_by(col(KnowledgeGap.id))))


def test_near_questions_are_one_gap_with_how_often_it_was_asked(store: Store) -> None:
    add_answer(store, "Where is the printer on floor 2?")
    decided(store, "Where is the printer of floor 2?", Verdict.CORRECTED)
    decided(store, "where is the printer on floor 2")
    decided(store, "Who pays for lunch?")
    decided(store, "Is it open?", Verdict.ACCEPTED)
    decided(store, "Is it closed on Sundays?", Verdict.ACCEPTED, votes=[VoteValue.DOWN])
    assert [(gap.question, gap.state) for gap in all_gaps(store)] == [
        ("Where is the printer of floor 2?", GapState.OPEN), ("Who pays for lunch?", GapState.OPEN),
        ("Is it closed on Sundays?", GapState.OPEN),
    ]  # fmt: skip
    assert len(gap_of(store).tickets) == 3, "also who asked it before anybody decided on it"
    assert gap_of(store).right_answers == {"R1": "Upstairs."}
    answer_id = add_answer(store, "Where is the printer on floor 2, please?")
    with store.writing() as session:
        gaps.heard(session, session.get_one(Answer, answer_id))
        gaps.heard(session, session.get_one(Answer, answer_id))
    assert len(gap_of(store).tickets) == 4


def test_a_gap_ends_with_the_last_decision_that_speaks_of_it(store: Store) -> None:
    review = decided(store, "Where is the printer?")
    with store.writing() as session:
        review_undo.undo(session, review.batch, "R1")
    file_all(store)
    assert gap_of(store).row.state == GapState.CLOSED
    decided(store, "Where is the printer!")
    assert gap_of(store, 2).row.state == GapState.OPEN


def test_a_document_s_owner_is_the_one_to_write_it_down(store: Store) -> None:
    decided(store, "Where is the printer?", passages=[{"source": "x"}, {"source": "handbook/printers.md"}])
    assert gap_of(store).row.owner_id == "U0OWNER0001"


def test_closing_twice_says_who_was_first(store: Store) -> None:
    decided(store, "Where is the printer?")
    with store.writing() as session:
        gaps.close(session, 1, "U5")
    with pytest.raises(BadInput, match="<@U5>"), store.writing() as session:
        gaps.close(session, 1, "U6")
    with store.writing() as session:
        gaps.reopen(session, 1)
    with pytest.raises(BadInput), store.writing() as session:
        gaps.reopen(session, 1)
    assert gap_of(store).row.state == GapState.OPEN


def lacking(bot: RunningBot, answer_id: int) -> None:
    decision = Decision(answer_id, RAVI, Verdict.CORRECTED, "Upstairs <!here>.", Cause.KNOWLEDGE)
    with bot.store.writing() as session:
        reviews.decide(session, decision)
    bot.services.outbox_wake.set()


async def test_one_message_grows_and_ends(bot: RunningBot, ana: Person, tom: Person, mei: Person) -> None:
    await answered(bot, ana, "@nightschool Where is the printer on floor 2?")
    with bot.store.writing() as session:
        session.exec(update(Ticket).values(visibility=Visibility.PUBLIC))
    lacking(bot, 1)
    posted = await mei.wait_for_message(lambda shown: "Missing in the documents" in shown.get("text", ""))
    shown = str(posted["blocks"])
    assert posted["channel"] == ADMINS
    assert all(words in shown for words in ("Asked once", "Where is the printer on floor 2?", "Upstairs", "Threads: "))
    assert "<!here>" not in shown
    await tom.post(SUPPORT, "@nightschool where is the printer of floor 2")
    grown = await mei.wait_for_message(lambda shown: "Asked 2 times" in str(shown.get("blocks")))
    assert grown["ts"] == posted["ts"]
    await tom.click(grown, WRITTEN_ACTION)
    assert gap_of(bot.store).row.state == GapState.OPEN, "neither the owner nor a reviewer"
    for _ in range(2):
        await mei.click(grown, WRITTEN_ACTION)
    done = await mei.wait_for_message(lambda shown: "has written it down" in str(shown.get("blocks")))
    assert gap_of(bot.store).row.closed_by == mei.user_id
    mei.forget()
    await mei.click(done, REOPEN_ACTION)
    again = await mei.wait_for_message(lambda shown: "Missing in the documents" in shown.get("text", ""))
    assert again["ts"] == posted["ts"]
    assert len([line for line in await mei.messages(ADMINS) if "documents" in line["text"]]) == 1


async def test_what_was_asked_in_private_is_not_shown(bot: RunningBot, ana: Person, mei: Person) -> None:
    await ana.post(ana.dm, "Why was my salary cut?")
    await until(lambda: [answer.text for answer in rows(bot, Answer)] != [""] and len(rows(bot, Answer)) == 1)
    await until(lambda: rows(bot, Answer)[0].state == "delivered")
    lacking(bot, 1)
    posted = await mei.wait_for_message(lambda shown: "Missing in the documents" in shown.get("text", ""))
    assert "Asked in private" in str(posted["blocks"])
    assert "salary" not in str(posted)
    assert "Upstairs" not in str(posted)
