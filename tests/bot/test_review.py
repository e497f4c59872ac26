import asyncio
from typing import Any

import pytest
from sqlmodel import select

from bot.blocks.feedback import VOTE_ACTION
from bot.blocks.home.reviewing import REVIEW_ACTION
from store import reviews
from store.errors import BadInput, NotAllowed
from store.reviews import Decision
from store.session import Store
from store.tables import Answer, Review, Ticket, Vote
from store.words import Arm, Cause, DeliveryState, Surface, TicketStatus, Verdict, Visibility, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered, modal_of, radio
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


def add_answer(store: Store, name: str, **fields: Any) -> int:
    """One answered ticket; the number of its answer."""
    with store.writing() as session:
        ticket = Ticket(
            team_id="T", channel_id="C", thread_ts=name, asker_id="U1", surface=Surface.MENTION,
            visibility=Visibility.PUBLIC, question=name, status=fields.pop("status", TicketStatus.ANSWERED),
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        votes = fields.pop("votes", [])
        values = {"state": DeliveryState.DELIVERED, "text": f"answer to {name}", **fields}
        answer = Answer(ticket_id=ticket.id or 0, event_id=name, question_ts=name, **values)
        session.add(answer)
        session.flush()
        for number, value in enumerate(votes):
            session.add(Vote(answer_id=answer.id or 0, person_id=f"U{number}", value=value))
        return answer.id or 0


def test_the_queue_begins_with_what_teaches_most(store: Store) -> None:
    add_answer(store, "sure", mean_logprob=-0.1)
    add_answer(store, "unsure", mean_logprob=-2.0)
    add_answer(store, "failed", state=DeliveryState.FAILED, text="")
    add_answer(store, "one down", votes=[VoteValue.DOWN])
    add_answer(store, "two down", votes=[VoteValue.DOWN, VoteValue.DOWN, VoteValue.UP])
    add_answer(store, "being written", state=DeliveryState.STREAMING)
    add_answer(store, "withdrawn", status=TicketStatus.WITHDRAWN)
    add_answer(store, "imported", arm=Arm.HUMAN)
    done = add_answer(store, "done", votes=[VoteValue.DOWN])
    with store.writing() as session:
        reviews.decide(session, Decision(done, "R1", Verdict.REJECTED))
    with store.reading() as session:
        queue = reviews.queue(session, 10)
        counts = reviews.counts(session)
    assert [item.ticket.question for item in queue] == ["two down", "one down", "failed", "unsure", "sure"]
    assert (queue[0].up, queue[0].down) == (1, 2)
    assert (counts.waiting, counts.voted_down, counts.rejected) == (5, 2, 1)


def test_a_decision_is_checked(store: Store) -> None:
    answer_id = add_answer(store, "q")
    failed_id = add_answer(store, "f", state=DeliveryState.FAILED, text="half an")
    bad = [
        (Decision(answer_id, "U1", Verdict.ACCEPTED), NotAllowed),
        (Decision(answer_id, "R1", Verdict.CORRECTED), BadInput),
        (Decision(answer_id, "R1", Verdict.CORRECTED, correction="  answer  to q\n"), BadInput),
        (Decision(answer_id, "R1", Verdict.ACCEPTED, correction="something else"), BadInput),
        (Decision(failed_id, "R1", Verdict.ACCEPTED), BadInput),
    ]
    for decision, error in bad:
        with pytest.raises(error), store.writing() as session:
            reviews.decide(session, decision)
    with store.reading() as session:
        assert session.exec(select(Review)).all() == []


async def test_of_two_reviewers_at_the_same_moment_one_decides(store: Store) -> None:
    answer_id = add_answer(store, "q")
    decisions = [Decision(answer_id, f"R{number}", Verdict.ACCEPTED) for number in range(8)]
    outcomes = await asyncio.gather(
        *(store.write(reviews.decide, decision) for decision in decisions), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BadInput)]
    assert len(refused) == 7
    assert "has already decided" in str(refused[0])
    with store.reading() as session:
        assert len(session.exec(select(Review)).all()) == 1


async def queue_of(person: Person) -> Json:
    await person.open_home()
    event = await person.wait_for(lambda event: event["type"] == "home")
    view: Json = event["view"]
    return view


async def open_review(person: Person) -> Json:
    home = await queue_of(person)
    assert (await person.click(home, REVIEW_ACTION))["ok"]
    return await modal_of(person)


async def test_a_correction_reaches_the_asker_s_thread(
    bot: RunningBot, ana: Person, ravi: Person, model: ScriptedModel
) -> None:
    message = await answered(bot, ana)
    await ana.click(message, VOTE_ACTION, "down:1")
    view = await open_review(ravi)
    assert "how?" in str(view["blocks"])
    assert "👎" in str(view["blocks"])
    ravi.forget()
    refused = await ravi.submit(view, {"verdict": radio("corrected")})
    assert "own answer" in refused["errors"]["correction"]
    refused = await ravi.submit(view, {"verdict": radio("corrected"), "correction": " "})
    assert "Write the right answer" in refused["errors"]["correction"]
    assert rows(bot, Review) == []
    done = await ravi.submit(
        view, {"verdict": radio("corrected"), "correction": "Press F5.", "cause": radio("knowledge"), "note": "seen"}
    )
    assert done["ok"]
    assert "errors" not in done
    (review,) = rows(bot, Review)
    assert (review.verdict, review.correction, review.cause) == (Verdict.CORRECTED, "Press F5.", Cause.KNOWLEDGE)
    reply = await ana.wait_for_message(lambda shown: "Press F5." in str(shown.get("blocks")))
    assert reply["thread_ts"] == message["thread_ts"]
    assert "A colleague corrected" in reply["text"]
    home = await ravi.wait_for(lambda event: event["type"] == "home")
    assert "Nothing waits" in str(home["view"]["blocks"])
    assert rows(bot, Ticket)[0].status == TicketStatus.RESOLVED
    await ana.post(SUPPORT, "thanks, and then?", message["thread_ts"])
    for _ in range(200):
        if len(model.requests) == 2:
            break
        await asyncio.sleep(0.02)
    assert "Press F5." in str(model.requests[1]["messages"])


async def test_a_second_reviewer_sees_that_it_is_decided(
    bot: RunningBot, ana: Person, ravi: Person, mei: Person
) -> None:
    await answered(bot, ana)
    ravis, meis = await open_review(ravi), await open_review(mei)
    assert (await ravi.submit(ravis, {"verdict": radio("accepted")}))["ok"]
    refused = await mei.submit(meis, {"verdict": radio("rejected")})
    assert "has already decided" in refused["errors"]["verdict"]
    assert [review.reviewer_id for review in rows(bot, Review)] == [ravi.user_id]


async def test_a_reviewer_s_own_question_needs_another_reviewer(bot: RunningBot, ravi: Person) -> None:
    await answered(bot, ravi)
    ravi.forget()
    home = await queue_of(ravi)
    await ravi.click(home, REVIEW_ACTION)
    assert "another reviewer" in str((await modal_of(ravi))["blocks"])
    assert rows(bot, Review) == []


async def test_an_empty_queue_says_so(bot: RunningBot, ravi: Person) -> None:
    assert "Nothing waits" in str((await queue_of(ravi))["blocks"])
