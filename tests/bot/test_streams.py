"""Streams that end early, messages that vanish while they are written, and what Slack shows of the session."""

from typing import Any

import pytest

from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.tables import Answer
from store.words import DeliveryState
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


def status_of(workspace: Running, ts: str) -> str:
    return workspace.workspace.sessions.thread(SUPPORT, ts).session_status


async def test_a_stream_that_outlives_slack_s_limit_goes_on_as_one_message(
    bot: RunningBot, ana: Person, model: ScriptedModel, workspace: Running
) -> None:
    workspace.workspace.streams.life_s = 0.4
    model.pause_s = 0.05
    asked = " ".join(f"word{number}" for number in range(40))
    ts = await ana.post(SUPPORT, f"@nightschool {asked}")
    first = await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    message = await answer_to(ana, ts)
    assert message["ts"] == first["ts"]
    assert f"base answers: {asked}" in str(message["blocks"])
    assert len([line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id")]) == 1
    (answer,) = await recorded(bot)
    assert answer.text.endswith("word39")
    assert status_of(workspace, ts) == "active"


async def test_the_session_works_awaits_and_stops_as_slack_shows_it(
    bot: RunningBot, ana: Person, model: ScriptedModel, workspace: Running
) -> None:
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool slowly?")
    await ana.wait_for(lambda event: event["type"] == "session" and event["status"] == "processing")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await ana.do("stop", channel=SUPPORT, thread_ts=ts)
    await recorded(bot, DeliveryState.STOPPED)
    await until(lambda: model.cut_off == 1)
    await until(lambda: status_of(workspace, ts) == "active")
    model.gate.set()
    await ana.post(SUPPORT, "go on", ts)
    await recorded(bot)
    await until(lambda: status_of(workspace, ts) == "active")


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
async def test_a_message_that_was_deleted_while_it_was_written_is_not_posted_again(
    bot: RunningBot, ana: Person, model: ScriptedModel, workspace: Running, method: str
) -> None:
    gone = Fault(200, None, "message_not_found")
    workspace.workspace.faults.add(method, gone)
    if method == "chat.stopStream":
        workspace.workspace.faults.add(method, gone)
        workspace.workspace.faults.add("chat.update", gone)
    else:
        model.pause_s = 0.2
    ts = await ana.post(SUPPORT, "@nightschool one two three four five six")
    await until(lambda: [answer.state for answer in rows(bot, Answer)] == [DeliveryState.WITHDRAWN])
    await until(lambda: not len(bot.services.running))
    assert not [line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id")]
    if method == "chat.appendStream":
        await until(lambda: model.cut_off == 1)


async def test_a_question_deleted_before_the_first_word_gets_no_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.silent = True
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool never mind")
    await until(lambda: len(model.requests) == 1)
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await until(lambda: [answer.state for answer in rows(bot, Answer)] == [DeliveryState.WITHDRAWN])
    model.gate.set()
    await until(lambda: not len(bot.services.running))
    assert not [line for line in await ana.messages(SUPPORT) if line.get("bot_id")]
