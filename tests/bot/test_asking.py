import asyncio
from typing import Any

import pytest
from sqlmodel import select

from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Message, Ticket
from store.words import DeliveryState, Role, Surface, TicketStatus, Visibility
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.model_server import ScriptedModel
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


def rows(bot: RunningBot, table: Any) -> list[Any]:
    with bot.store.reading() as session:
        return list(session.exec(select(table).order_by(table.id)).all())


def is_closed(message: Json) -> bool:
    return any(block["type"] in ("context_actions", "actions") for block in message.get("blocks", []))


async def answer_to(person: Person, ts: str) -> Json:
    return await person.wait_for_message(
        lambda message: message.get("thread_ts") == ts and message.get("bot_id") and is_closed(message)
    )


async def recorded(bot: RunningBot, state: DeliveryState = DeliveryState.DELIVERED, count: int = 1) -> list[Answer]:
    for _ in range(400):
        found = [answer for answer in rows(bot, Answer) if answer.state == state]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"no {count} answers are {state}: {[answer.state for answer in rows(bot, Answer)]}")


async def test_a_mention_is_answered_in_its_thread_and_stored(bot: RunningBot, ana: Person) -> None:
    ts = await ana.post(SUPPORT, "@nightschool Where is the <b>VPN</b> & how?")
    message = await answer_to(ana, ts)
    assert message["text"].startswith("base answers: Where is the")
    (answer,) = await recorded(bot)
    (ticket,) = rows(bot, Ticket)
    assert ticket.surface == Surface.MENTION
    assert ticket.status == TicketStatus.ANSWERED
    assert ticket.question == "Where is the <b>VPN</b> & how?"
    assert answer.message_ts == message["ts"]
    assert answer.messages[-1] == {"role": "user", "content": "Where is the <b>VPN</b> & how?"}
    assert (answer.prompt_tokens, answer.mean_logprob) == (7, -0.5)
    assert answer.first_token_ms is not None
    assert answer.latency_ms is not None


async def test_a_channel_s_visibility_is_known_after_the_first_mention(bot: RunningBot, ana: Person) -> None:
    for question in ("first?", "second?"):
        await answer_to(ana, await ana.post(SUPPORT, f"@nightschool {question}"))
    for _ in range(100):
        if {ticket.visibility for ticket in rows(bot, Ticket)} == {Visibility.PUBLIC}:
            break
        await asyncio.sleep(0.02)
    assert [ticket.visibility for ticket in rows(bot, Ticket)] == [Visibility.PUBLIC] * 2


async def test_a_direct_message_and_its_follow_up_share_a_thread(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    ts = await ana.post(ana.dm, "What is the wifi password?")
    await answer_to(ana, ts)
    await recorded(bot)
    ana.forget()
    await ana.post(ana.dm, "And for guests?", ts)
    await answer_to(ana, ts)
    await recorded(bot, count=2)
    assert [message["role"] for message in model.requests[1]["messages"]] == ["system", "user", "assistant", "user"]
    (ticket,) = rows(bot, Ticket)
    assert (ticket.surface, ticket.visibility) == (Surface.DIRECT_MESSAGE, Visibility.DIRECT)


async def test_in_a_channel_s_thread_the_asker_needs_no_second_mention_but_others_do(
    bot: RunningBot, ana: Person, tom: Person
) -> None:
    ts = await ana.post(SUPPORT, "@nightschool one?")
    await answer_to(ana, ts)
    await recorded(bot)
    await tom.post(SUPPORT, "I think it is blue.", ts)
    await ana.post(SUPPORT, "<@U0TOM000001> are you sure?", ts)
    await ana.post(SUPPORT, "and two?", ts)
    await recorded(bot, count=2)
    await asyncio.sleep(0.3)
    answers = rows(bot, Answer)
    assert len(answers) == 2
    assert "I think it is blue." in answers[1].messages[-1]["content"]
    # Events are taken side by side, so the order of the rows is not that of the thread.
    roles = [line.role for line in sorted(rows(bot, Message), key=lambda line: line.ts)]
    assert roles == [Role.ASKER, Role.BOT, Role.HELPER, Role.ASKER, Role.ASKER, Role.BOT]


async def test_talk_that_is_not_for_the_bot_is_left_alone(bot: RunningBot, ana: Person, tom: Person) -> None:
    ts = await ana.post(SUPPORT, "lunch?")
    await tom.post(SUPPORT, "yes", ts)
    await asyncio.sleep(0.3)
    assert rows(bot, Ticket) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@nightschool", "Ask me in a sentence"),
        ("@nightschool   ", "Ask me in a sentence"),
        ("@nightschool :wave: 🎉", "emoji"),
        ("@nightschool ???", "emoji"),
        ("@nightschool " + "long " * 8000, "characters"),
    ],
)
async def test_what_cannot_be_answered_gets_a_friendly_sentence(
    bot: RunningBot, ana: Person, text: str, said: str
) -> None:
    ts = await ana.post(SUPPORT, text)
    message = await ana.wait_for_message(lambda message: message.get("thread_ts") == ts and message.get("bot_id"))
    assert said in message["text"]
    assert rows(bot, Answer) == []


async def test_old_turns_make_room_for_the_question(bot: RunningBot, ana: Person, model: ScriptedModel) -> None:
    ts = await ana.post(ana.dm, "first " + "word " * 700)
    await recorded(bot)
    await ana.post(ana.dm, "second " + "word " * 700, ts)
    await recorded(bot, count=2)
    sent = model.requests[1]["messages"]
    assert "second" in sent[-1]["content"]
    assert not any("first" in message["content"] for message in sent)


async def test_a_slash_command_is_answered_in_private(bot: RunningBot, ana: Person, tom: Person) -> None:
    await ana.do("command", channel=SUPPORT, command="/ask", text="Who pays for parking?")
    message = await ana.wait_for_message(lambda message: "base answers" in message.get("text", ""))
    assert message["is_ephemeral"]
    (answer,) = await recorded(bot)
    assert answer.message_ts == ""
    (ticket,) = rows(bot, Ticket)
    assert (ticket.surface, ticket.visibility) == (Surface.COMMAND, Visibility.DIRECT)
    assert not any("base answers" in line.get("text", "") for line in await tom.messages(SUPPORT))


async def test_a_private_answer_that_failed_can_be_tried_again_in_private(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.failures = [503, 503]
    await ana.do("command", channel=SUPPORT, command="/ask", text="Who pays?")
    failed = await ana.wait_for_message(lambda message: "retry_answer" in str(message.get("blocks")))
    await recorded(bot, DeliveryState.FAILED)
    assert (await ana.click(failed, "retry_answer"))["ok"]
    message = await ana.wait_for_message(lambda message: "base answers: Who pays?" in message.get("text", ""))
    assert message["is_ephemeral"]


async def test_an_empty_slash_command_says_how_to_ask(bot: RunningBot, ana: Person) -> None:
    await ana.do("command", channel=SUPPORT, command="/ask", text="  ")
    await ana.wait_for_message(lambda message: "Ask me in a sentence" in message.get("text", ""))


async def test_a_message_s_shortcut_answers_in_its_thread(bot: RunningBot, ana: Person, tom: Person) -> None:
    ts = await tom.post(SUPPORT, "The printer smells of smoke.")
    await ana.do("shortcut", callback_id="ask_about_message", channel=SUPPORT, ts=ts)
    message = await answer_to(tom, ts)
    assert "The printer smells of smoke." in message["text"]
    (ticket,) = rows(bot, Ticket)
    assert (ticket.surface, ticket.asker_id) == (Surface.SHORTCUT, ana.user_id)


async def test_sixteen_askers_at_once_each_get_their_own_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.pause_s = 0.01
    asked = [await ana.post(SUPPORT, f"@nightschool number {number}") for number in range(16)]
    messages = await asyncio.gather(*(answer_to(ana, ts) for ts in asked))
    assert [message["text"] for message in messages] == [f"base answers: number {number}" for number in range(16)]
    assert len(await recorded(bot, count=16)) == 16


async def test_an_answer_streams_while_it_is_written(bot: RunningBot, ana: Person, model: ScriptedModel) -> None:
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool slowly, please")
    first = await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    assert first["text"] == "base"
    assert not is_closed(first)
    model.gate.set()
    assert (await answer_to(ana, ts))["text"] == "base answers: slowly, please"


async def test_stop_closes_the_model_s_stream_and_keeps_what_came(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool tell me a long story")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await ana.do("stop", channel=SUPPORT, thread_ts=ts)
    (answer,) = await recorded(bot, DeliveryState.STOPPED)
    message = await answer_to(ana, ts)
    assert "Stopped." in str(message["blocks"])
    assert answer.text == "base"
    for _ in range(100):
        if model.cut_off:
            break
        await asyncio.sleep(0.02)
    assert model.cut_off == 1


@pytest.mark.parametrize("failures", [[503, 503], [500, 500]])
async def test_a_failed_answer_says_so_and_can_be_tried_again(
    bot: RunningBot, ana: Person, model: ScriptedModel, failures: list[int]
) -> None:
    model.failures = failures
    ts = await ana.post(SUPPORT, "@nightschool are you there?")
    failed = await answer_to(ana, ts)
    (answer,) = await recorded(bot, DeliveryState.FAILED)
    assert answer.error
    assert answer.error in str(failed["blocks"]) or "refused" in str(failed["blocks"])
    ana.forget()
    assert (await ana.click(failed, "retry_answer"))["ok"]
    again = await answer_to(ana, ts)
    assert again["ts"] == failed["ts"]
    assert "base answers: are you there?" in str(again["blocks"])
    (answer,) = await recorded(bot)
    assert (answer.state, answer.error) == (DeliveryState.DELIVERED, "")


async def test_a_model_that_hangs_is_not_waited_for_in_silence(
    bot_settings: Settings, sqlite_store: Store, ana: Person, model: ScriptedModel
) -> None:
    model.silent = True
    model.gate.clear()
    serving = bot_settings.serving.model_copy(update={"first_token_timeout_s": 0.3})
    async with running_bot(bot_settings.model_copy(update={"serving": serving}), sqlite_store):
        ts = await ana.post(SUPPORT, "@nightschool hello?")
        failed = await answer_to(ana, ts)
        assert "did not answer in time" in str(failed["blocks"])
        model.silent = False
        model.gate.set()
        ana.forget()
        await ana.click(failed, "retry_answer")
        assert "base answers: hello?" in str((await answer_to(ana, ts))["blocks"])


async def test_an_answer_that_breaks_off_keeps_its_beginning_and_offers_a_retry(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.break_after = 2
    ts = await ana.post(SUPPORT, "@nightschool half?")
    failed = await answer_to(ana, ts)
    assert "base answers:" in str(failed["blocks"])
    model.break_after = None
    ana.forget()
    await ana.click(failed, "retry_answer")
    await recorded(bot)
    assert "half?" in str((await answer_to(ana, ts))["blocks"])


async def test_a_stream_that_slack_ends_is_continued_by_updates(
    bot: RunningBot, ana: Person, model: ScriptedModel, workspace: Running
) -> None:
    workspace.workspace.faults.add("chat.appendStream", Fault(200, None, "message_not_in_streaming_state"))
    model.pause_s = 0.1
    ts = await ana.post(SUPPORT, "@nightschool one two three four five")
    message = await answer_to(ana, ts)
    assert "base answers: one two three four five" in str(message["blocks"])
    assert len([line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id")]) == 1


async def test_a_rate_limit_is_waited_out(bot: RunningBot, ana: Person, workspace: Running) -> None:
    workspace.workspace.faults.add("chat.startStream", Fault())
    ts = await ana.post(SUPPORT, "@nightschool patience?")
    assert (await answer_to(ana, ts))["text"] == "base answers: patience?"


async def test_a_deleted_question_takes_its_answer_along(bot: RunningBot, ana: Person) -> None:
    ts = await ana.post(SUPPORT, "@nightschool oops, a secret")
    await answer_to(ana, ts)
    await recorded(bot)
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await recorded(bot, DeliveryState.WITHDRAWN)
    (ticket,) = rows(bot, Ticket)
    assert (ticket.status, ticket.trainable) == (TicketStatus.WITHDRAWN, False)
    for _ in range(100):
        if not [line for line in await ana.messages(SUPPORT) if line.get("bot_id") and line.get("thread_ts") == ts]:
            break
        await asyncio.sleep(0.02)
    assert all(line.deleted for line in rows(bot, Message))


async def test_a_question_deleted_while_it_is_answered_leaves_no_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool oops")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await recorded(bot, DeliveryState.WITHDRAWN)
    model.gate.set()
    await asyncio.sleep(0.5)
    assert [answer.state for answer in rows(bot, Answer)] == [DeliveryState.WITHDRAWN]
    assert not [line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id")]


HOSTILE = (
    "<!channel> <@U0TOM000001> <!subteam^S1> &lt; [Reset](https://evil.example/x?q=1) "
    "https://evil.example/y <https://evil.example|docs.corp> ![i](https://evil.example/p.png)"
)


async def test_the_model_s_text_can_ping_nobody_and_hide_no_link(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: HOSTILE
    model.pause_s = 0.05
    ts = await ana.post(SUPPORT, "@nightschool say something mean")
    text = (await answer_to(ana, ts))["text"]
    assert "<" not in text
    assert "](" not in text
    assert text.count("evil.example") == text.count("`https://evil.example")
    (answer,) = await recorded(bot)
    assert answer.text == HOSTILE
