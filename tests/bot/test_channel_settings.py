"""What an admin chose for a channel holds for every message there, over the wire."""

import asyncio
from typing import Any

import pytest

from bot.blocks.answer import HUMAN_ACTION
from bot.conversation import SWITCHED_OFF
from bot.question_filter import is_question
from store import channels
from store.tables import Answer, Channel, Ticket
from store.words import Answering, Surface
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.fixtures_workspace import MEI, SUPPORT, Person

TEAM = "T0LOCAL0001"


def choose(bot: RunningBot, channel_id: str = SUPPORT, **chosen: Any) -> None:
    with bot.store.writing() as session:
        row = channels.settings_of(session, TEAM, channel_id)
        channels.save(session, Channel(**{**row.model_dump(), **chosen}), MEI)


async def test_a_channel_that_is_switched_off_is_left_alone_and_says_so_to_who_mentions(
    bot: RunningBot, ana: Person
) -> None:
    choose(bot, answering=Answering.OFF)
    ts = await ana.post(SUPPORT, "@nightschool anybody home?")
    said = await ana.wait_for_message(lambda message: message.get("is_ephemeral"))
    assert said["text"] == SWITCHED_OFF
    refused = await ana.ask("shortcut", callback_id="ask_about_message", channel=SUPPORT, ts=ts)
    assert refused["ok"]
    await asyncio.sleep(0.2)
    assert rows(bot, Ticket) == []
    assert not [line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id") and not line.get("is_ephemeral")]


async def test_in_a_channel_of_questions_they_are_answered_without_a_mention(
    bot: RunningBot, ana: Person, tom: Person
) -> None:
    choose(bot, answering=Answering.QUESTIONS)
    await ana.post(SUPPORT, "The build is green again.")
    await ana.post(SUPPORT, "<@U0TOM000001> how do I get a badge?")
    ts = await ana.post(SUPPORT, "How do I get a badge?")
    await answer_to(ana, ts)
    (answer,) = await recorded(bot)
    (ticket,) = rows(bot, Ticket)
    assert (ticket.surface, ticket.question) == (Surface.CHANNEL, "How do I get a badge?")
    await tom.post(SUPPORT, "How do I get one, too?", ts)
    mentioned = await ana.post(SUPPORT, "@nightschool hello there, how do I get in?")
    await answer_to(ana, mentioned)
    await recorded(bot, count=2)
    assert [row.surface for row in rows(bot, Ticket)] == [Surface.CHANNEL, Surface.MENTION]
    assert answer.question_ts == ts


async def test_a_channel_s_persona_and_its_word_on_learning_reach_the_ticket(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    choose(bot, persona="Answer like a pirate.", trainable=False)
    await answer_to(ana, await ana.post(SUPPORT, "@nightschool where is the treasure?"))
    system = model.requests[0]["messages"][0]["content"]
    assert system == f"{bot.services.settings.system_prompt}\n\nAnswer like a pirate."
    assert [ticket.trainable for ticket in rows(bot, Ticket)] == [False]
    await answer_to(ana, await ana.post(ana.dm, "and here?"))
    assert model.requests[1]["messages"][0]["content"] == bot.services.settings.system_prompt
    assert [ticket.trainable for ticket in rows(bot, Ticket)] == [False, True]


async def test_below_the_channel_s_confidence_the_bot_says_that_it_is_not_sure(bot: RunningBot, ana: Person) -> None:
    sure = await answer_to(ana, await ana.post(SUPPORT, "@nightschool are you sure?"))
    assert "not sure" not in str(sure["blocks"])
    choose(bot, min_confidence=0.7)
    ana.forget()
    unsure = await answer_to(ana, await ana.post(SUPPORT, "@nightschool and now?"))
    assert "I'm not sure about this one" in str(unsure["blocks"])
    buttons = next(block for block in unsure["blocks"] if block["type"] == "actions")["elements"]
    assert (buttons[0]["action_id"], buttons[0]["style"]) == (HUMAN_ACTION, "primary")
    choose(bot, min_confidence=0.6)
    ana.forget()
    again = await answer_to(ana, await ana.post(SUPPORT, "@nightschool and at 0.6?"))
    assert "not sure" not in str(again["blocks"])
    assert [round(answer.mean_logprob, 2) for answer in rows(bot, Answer)] == [-0.5] * 3


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my VPN password?",
        "how do i get a badge",
        "I cannot log in since this morning.",
        "any idea why the printer smells",
        "Hi team, where is the wiki page for refunds",
        "パスワードはどこですか？",
        "Was ist los mit dem VPN?",
        "¿Dónde está la llave?",
        "The parcel is lost. Who pays for it?",
    ],
)
def test_questions_are_found(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lunch?",
        "Who wants pizza today?",
        "How are you all today?",
        "What a day.",
        "Can you believe it!",
        "Thanks everyone, that worked!",
        "The build is green.",
        "https://x.example/?a=1 is down now",
        "see `a ? b : c` please now",
        "FYI: deploy at 5pm; nothing to do",
        "???",
        "🤔🤔🤔❓",
    ],
)
def test_talk_is_not_taken_for_a_question(text: str) -> None:
    assert not is_question(text)
