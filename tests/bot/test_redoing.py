"""An edited question is answered anew in the same message; the old answer is neither reviewed nor learnt."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.blocks.answer import REDONE
from bot.blocks.feedback import VOTE_ACTION
from store import review_signs, reviews
from store.datasets import ReviewedAnswer
from store.errors import BadInput
from store.learning_policy import Objection, objection
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import Answer, InboxEvent, Message, Review, Ticket, Vote, now
from store.words import DeliveryState, InboxState, Role, Verdict
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, is_closed, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import RAVI, SUPPORT, Person

Json = dict[str, Any]


async def redone(person: Person, words: str) -> Json:
    return await person.wait_for_message(
        lambda message: is_closed(message) and words in str(message["blocks"]) and REDONE in str(message["blocks"])
    )


def bot_messages(thread: list[Json]) -> list[Json]:
    return [line for line in thread if line.get("bot_id")]


async def test_an_edited_question_is_answered_anew_in_the_same_message(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    ts = await ana.post(SUPPORT, "@nightschool the vnp?")
    first = await answer_to(ana, ts)
    await recorded(bot)
    await tom.click(first, VOTE_ACTION, "down:1")
    await until(lambda: len(rows(bot, Vote)) == 1)
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool the vpn?")
    again = await redone(ana, "the vpn?")
    await recorded(bot)
    assert again["ts"] == first["ts"]
    assert len(bot_messages(await ana.messages(SUPPORT, ts))) == 1
    old, new = rows(bot, Answer)
    assert (old.state, old.message_ts) == (DeliveryState.SUPERSEDED, "")
    assert (new.state, new.message_ts, new.question_ts) == (DeliveryState.DELIVERED, again["ts"], ts)
    assert [vote.answer_id for vote in rows(bot, Vote)] == [old.id]
    assert rows(bot, Ticket)[0].question == "the vpn?"
    assert [(line.role, line.text) for line in rows(bot, Message)] == [
        (Role.ASKER, "the vpn?"),
        (Role.BOT, "base answers: the vpn?"),
    ]
    with bot.store.reading() as session:
        assert review_signs.open_to(session, RAVI, [old.id, new.id]) == {new.id}
        with pytest.raises(BadInput):
            reviews.check_may_review(session, old.id, RAVI)
    await ana.click(again, VOTE_ACTION, f"up:{new.id}")
    await until(lambda: len(rows(bot, Vote)) == 2)


async def test_an_answer_that_was_superseded_is_not_learnt(bot: RunningBot, ana: Person) -> None:
    ts = await ana.post(SUPPORT, "@nightschool one?")
    await answer_to(ana, ts)
    await recorded(bot)
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool two?")
    await redone(ana, "two?")
    await recorded(bot)
    old, ticket = rows(bot, Answer)[0], rows(bot, Ticket)[0]
    review = Review(answer_id=old.id, reviewer_id=RAVI, verdict=Verdict.ACCEPTED)
    night = NightSettings(learn_private_channels=True)
    assert objection(ReviewedAnswer(ticket, old, review), night, ()) == Objection.SUPERSEDED


async def test_an_edit_that_changes_no_word_does_nothing(bot: RunningBot, ana: Person, model: ScriptedModel) -> None:
    ts = await ana.post(SUPPORT, "@nightschool where  is it?")
    await answer_to(ana, ts)
    await recorded(bot)
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool where is it?")
    await ana.do("edit", channel=SUPPORT, ts=ts, text="where is it? @nightschool")
    follow_up = await ana.post(SUPPORT, "and then?", ts)
    await recorded(bot, count=2)
    assert len(model.requests) == 2
    assert [answer.question_ts for answer in rows(bot, Answer)] == [ts, follow_up]


async def test_an_edit_while_the_answer_is_written_stops_it_and_answers_the_new_wording(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool tell me of cats")
    started = await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool tell me of dogs")
    await until(lambda: model.cut_off == 1)
    model.gate.set()
    again = await redone(ana, "tell me of dogs")
    await recorded(bot)
    assert again["ts"] == started["ts"]
    assert [answer.state for answer in rows(bot, Answer)] == [DeliveryState.SUPERSEDED, DeliveryState.DELIVERED]
    assert len(bot_messages(await ana.messages(SUPPORT, ts))) == 1
    assert not [message for message in ana.seen if "Stopped." in str(message)]


async def test_several_edits_in_a_row_end_with_the_last_wording(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.pause_s = 0.05
    ts = await ana.post(SUPPORT, "@nightschool version zero of it")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    for number in ("one", "two", "three"):
        await ana.do("edit", channel=SUPPORT, ts=ts, text=f"@nightschool version {number} of it")
        await asyncio.sleep(0.1)
    await redone(ana, "version three of it")
    await recorded(bot)
    states = [answer.state for answer in rows(bot, Answer)]
    assert states[-1] == DeliveryState.DELIVERED
    assert set(states[:-1]) == {DeliveryState.SUPERSEDED}
    (shown,) = bot_messages(await ana.messages(SUPPORT, ts))
    assert "version three of it" in str(shown["blocks"])


async def test_a_question_deleted_after_its_edit_takes_the_new_answer_along(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    ts = await ana.post(SUPPORT, "@nightschool a secret?")
    await answer_to(ana, ts)
    await recorded(bot)
    model.gate.clear()
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool another secret?")
    await until(lambda: len(model.requests) == 2)
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await until(lambda: {answer.state for answer in rows(bot, Answer)} == {DeliveryState.WITHDRAWN})
    await until(lambda: model.cut_off == 1)
    model.gate.set()
    await until(lambda: not len(bot.services.running))
    assert not bot_messages(await ana.messages(SUPPORT, ts))


async def test_an_edit_that_leaves_nothing_to_answer_leaves_the_answer(bot: RunningBot, ana: Person) -> None:
    ts = await ana.post(SUPPORT, "@nightschool is it open?")
    await answer_to(ana, ts)
    await recorded(bot)
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool :shrug:")
    await until(lambda: rows(bot, Ticket)[0].question == ":shrug:")
    assert [answer.state for answer in rows(bot, Answer)] == [DeliveryState.DELIVERED]


async def test_an_answer_being_redone_outlives_a_restart(
    bot_settings: Settings, sqlite_store: Store, ana: Person, model: ScriptedModel
) -> None:
    async with running_bot(bot_settings, sqlite_store) as bot:
        ts = await ana.post(SUPPORT, "@nightschool before?")
        first = await answer_to(ana, ts)
        await recorded(bot)
        model.gate.clear()
        await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool after?")
        await until(lambda: len(model.requests) == 2)
    model.gate.set()
    async with running_bot(bot_settings, sqlite_store) as bot:
        again = await redone(ana, "after?")
        await until(lambda: rows(bot, Answer)[-1].state == DeliveryState.DELIVERED)
        assert again["ts"] == first["ts"]
        assert len(rows(bot, Answer)) == 2


async def test_an_edit_that_overtakes_its_message_is_taken_up_after_it(bot: RunningBot, ana: Person) -> None:
    ts = await ana.post(SUPPORT, "just talking")
    await until(lambda: [event.state for event in rows(bot, InboxEvent)] == [InboxState.DONE])
    with bot.store.writing() as session:
        waiting = session.get_one(InboxEvent, f"post/T0LOCAL0001/{SUPPORT}/{ts}")
        waiting.state, waiting.lease_until = InboxState.RECEIVED, now() + timedelta(hours=1)
    await ana.do("edit", channel=SUPPORT, ts=ts, text="still talking")
    await until(lambda: any("TooEarly" in event.error for event in rows(bot, InboxEvent)))
    with bot.store.writing() as session:
        session.get_one(InboxEvent, waiting.id).state = InboxState.DONE
    await until(lambda: {event.state for event in rows(bot, InboxEvent)} == {InboxState.DONE})
    assert rows(bot, Answer) == []
