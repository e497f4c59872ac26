import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.app import create_app
from bot.blocks.feedback import VOTE_ACTION
from bot.blocks.home.reviewing import REVIEW_ACTION
from bot.blocks.review.inputs import START_ACTION
from store import answers, reviews
from store.errors import BadInput, NotAllowed
from store.reviews import Decision
from store.session import Store
from store.tables import Proposal, Review, Ticket, now
from store.words import Cause, DeliveryState, ProposalState, TicketStatus, Verdict
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.reviewing import (
    add_answer,
    decide,
    down,
    element,
    home_of,
    option,
    press,
    published,
    start,
    ticks,
    words,
)
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered, modal_of, radio
from tests.bot.test_inbox import until
from tests.bot.test_roles import send, submission
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]
BADGE = "How do I order a new badge?"


def test_a_decision_is_checked(store: Store) -> None:
    answer_id = add_answer(store, "q")
    failed_id = add_answer(store, "f", state=DeliveryState.FAILED, text="half an")
    over = now() - timedelta(seconds=1)
    bad = [
        (Decision(answer_id, "U1", Verdict.ACCEPTED), NotAllowed),
        (Decision(answer_id, "R1", Verdict.CORRECTED), BadInput),
        (Decision(answer_id, "R1", Verdict.CORRECTED, correction="  answer  to q\n"), BadInput),
        (Decision(answer_id, "R1", Verdict.CORRECTED, correction="right", valid_until=over), BadInput),
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


def test_one_decision_covers_the_near_duplicates_that_it_fits(store: Store) -> None:
    ids = [add_answer(store, BADGE, thread_ts=str(number), text="Ask Mei.") for number in range(5)]
    other = add_answer(store, "Which printer is on the third floor?")
    own = add_answer(store, BADGE, thread_ts="own", text="Ask Mei.", asker="R1")
    different = add_answer(store, BADGE, thread_ts="different", text="No idea.")
    with store.writing() as session:
        reviews.decide(session, Decision(ids[1], "R2", Verdict.REJECTED))
        alike = (*ids[1:4], other, own, different, 999)
        accepted = reviews.decide(session, Decision(ids[0], "R1", Verdict.ACCEPTED, alike=alike))
        made = reviews.of_batch(session, accepted.batch)
        assert [review.answer_id for review in made] == [ids[0], ids[2], ids[3]]
        corrected = reviews.decide(
            session, Decision(ids[4], "R1", Verdict.CORRECTED, correction="Ask Ravi.", alike=(different,))
        )
        made = reviews.of_batch(session, corrected.batch)
        assert [(review.answer_id, review.correction) for review in made] == [
            (ids[4], "Ask Ravi."),
            (different, "Ask Ravi."),
        ]


async def open_review(person: Person) -> Json:
    home = await home_of(person)
    assert (await person.click(home, REVIEW_ACTION))["ok"]
    return await modal_of(person)


def error_of(view: Json, outcome: Json, field: str) -> str:
    """What is said at a field of the modal."""
    block = next(
        block["block_id"] for block in view["blocks"] if (block.get("element") or {}).get("action_id") == field
    )
    return str(outcome["errors"][block])


async def test_a_correction_reaches_the_asker_s_thread(
    bot: RunningBot, ana: Person, ravi: Person, model: ScriptedModel
) -> None:
    message = await answered(bot, ana)
    await ana.click(message, VOTE_ACTION, "down:1")
    view = await open_review(ravi)
    assert "how?" in words(view)
    assert "👎" in words(view)
    ravi.forget()
    refused = await ravi.submit(view, {"verdict": radio("corrected")})
    assert "own answer" in error_of(view, refused, "correction")
    refused = await ravi.submit(view, {"verdict": radio("corrected"), "correction": " "})
    assert "Write the right answer" in error_of(view, refused, "correction")
    day = {"selected_date": "2020-02-29"}
    refused = await ravi.submit(view, {"verdict": radio("corrected"), "correction": "F5", "valid_until": day})
    assert "over" in error_of(view, refused, "valid_until")
    assert rows(bot, Review) == []
    day = {"selected_date": "2099-12-31"}
    end = await decide(
        ravi, view, "corrected", correction="Press F5.", cause=radio("knowledge"), note="seen", valid_until=day
    )
    assert "1 decided, 0 wait" in words(end)
    assert "Nothing waits for you" in words(end)
    (review,) = rows(bot, Review)
    assert (review.verdict, review.correction, review.cause) == (Verdict.CORRECTED, "Press F5.", Cause.KNOWLEDGE)
    assert review.note == "seen"
    assert review.valid_until.isoformat() == "2100-01-01T00:00:00+00:00"
    reply = await ana.wait_for_message(lambda shown: "Press F5." in str(shown.get("blocks")))
    assert reply["thread_ts"] == message["thread_ts"]
    assert "A colleague corrected" in reply["text"]
    await published(ravi, "Nothing waits")
    assert rows(bot, Ticket)[0].status == TicketStatus.RESOLVED
    await ana.post(SUPPORT, "thanks, and then?", message["thread_ts"])
    await until(lambda: len(model.requests) == 2)
    assert "Press F5." in str(model.requests[1]["messages"])


async def test_a_reviewer_s_own_question_needs_another_reviewer(bot: RunningBot, ravi: Person, mei: Person) -> None:
    await answered(bot, ravi)
    assert "Nothing waits" in words(await home_of(ravi))
    await home_of(mei, "how?", REVIEW_ACTION)
    forged = submission(ravi.user_id, 1)
    await send(create_app(bot.services), forged)
    assert rows(bot, Review) == []
    await send(create_app(bot.services), {**forged, "user": {"id": mei.user_id}})
    assert len(rows(bot, Review)) == 1


async def test_an_empty_queue_says_so(bot: RunningBot, ravi: Person) -> None:
    assert "Nothing waits" in words(await home_of(ravi))


async def test_the_right_answer_can_begin_with_a_reply_or_with_what_was_complained_of(
    bot: RunningBot, ana: Person, ravi: Person
) -> None:
    message = await answered(bot, ana)
    await ana.click(message, VOTE_ACTION, "down:1")
    modal = await modal_of(ana)
    await ana.submit(modal, {"reason": radio("wrong"), "suggestion": "It should say F6."})
    with bot.store.writing() as session:
        session.add(Proposal(answer_id=1, person_id="U9", ts="9.9", text="Press F7."))
    view = await start(ravi)
    assert element(view, "correction")["initial_value"] == answers_text(bot)
    starts = {one["text"]["text"].split(":")[0]: one["value"] for one in element(view, START_ACTION)["options"]}
    assert list(starts) == ["The bot's answer", "A colleague's reply", "What it should have said"]
    view = await press(ravi, view, START_ACTION, selected_option=option(starts["What it should have said"]))
    assert element(view, "correction")["initial_value"] == "It should say F6."
    view = await press(ravi, view, START_ACTION, selected_option=option(starts["A colleague's reply"]))
    assert element(view, "correction")["initial_value"] == "Press F7."
    assert element(view, "verdict")["initial_option"]["value"] == "corrected"
    await decide(ravi, view, "corrected")
    (review,) = rows(bot, Review)
    (proposal,) = rows(bot, Proposal)
    assert (review.correction, review.proposal_id, proposal.state) == ("Press F7.", proposal.id, ProposalState.USED)


def answers_text(bot: RunningBot) -> str:
    with bot.store.reading() as session:
        return answers.get(session, 1).text


async def test_accepting_after_looking_at_a_reply_is_no_change_of_the_answer(bot: RunningBot, ravi: Person) -> None:
    answer_id = add_answer(bot.store, "q")
    with bot.store.writing() as session:
        session.add(Proposal(answer_id=answer_id, person_id="U9", ts="9.9", text="Press F7."))
    view = await start(ravi)
    reply = element(view, START_ACTION)["options"][1]
    view = await press(ravi, view, START_ACTION, selected_option=reply)
    await decide(ravi, view, "accepted")
    (proposal,) = rows(bot, Proposal)
    assert proposal.state == ProposalState.OPEN
    assert rows(bot, Review)[0].correction == ""


async def test_near_duplicates_are_listed_and_can_be_unticked(bot: RunningBot, ravi: Person) -> None:
    ids = [add_answer(bot.store, BADGE, thread_ts=str(number), text="Ask Mei.") for number in range(13)]
    home = await home_of(ravi)
    assert "12 more like it" in words(home)
    assert words(home).count(f"'{REVIEW_ACTION}'") == 1
    view = await start(ravi)
    boxes = element(view, "alike")
    assert [box["value"] for box in boxes["options"]] == [str(id_) for id_ in ids[:10]]
    assert boxes["initial_options"] == boxes["options"]
    assert "2 more follow" in words(view)
    forged = ticks(*ids[1:4], ids[11], 4711)
    view = await decide(ravi, view, "corrected", correction="Ask Ravi.", alike=forged)
    assert "Corrected, with 3 like it" in words(view)
    assert "4 decided, 9 wait" in words(view)
    made = rows(bot, Review)
    # Only what was listed: number 11 was not.
    assert sorted(review.answer_id for review in made) == [*ids[1:4], ids[12]]
    assert len({review.batch for review in made}) == 1
    assert {review.correction for review in made} == {"Ask Ravi."}


async def test_what_differs_in_a_word_that_matters_is_listed_but_not_ticked(bot: RunningBot, ravi: Person) -> None:
    same = add_answer(bot.store, "please, who looks after the parking of bikes?")
    other = add_answer(bot.store, "Who looks after the parking of cars?")
    add_answer(bot.store, "Who looks after the parking of bikes?", votes=down(1))
    boxes = element(await start(ravi), "alike")
    assert [box["value"] for box in boxes["options"]] == [str(same), str(other)]
    assert [box["value"] for box in boxes["initial_options"]] == [str(same)]


@pytest.mark.parametrize("tags", [["billing", "outdated doc"]])
async def test_a_team_has_tags_of_its_own(bot: RunningBot, ravi: Person, tags: list[str]) -> None:
    bot.services.settings.review_tags[:] = tags
    add_answer(bot.store, "q")
    view = await start(ravi)
    assert [one["value"] for one in element(view, "tags")["options"]] == [*tags, "must stay right"]
    await decide(ravi, view, "accepted", tags=ticks("outdated doc", "forged"))
    assert rows(bot, Review)[0].tags == ["outdated doc"]
    home = await home_of(ravi)
    await ravi.click(home, "queue_filter", selected_option=option("tag:outdated doc"))
    await published(ravi, "accepted by")
