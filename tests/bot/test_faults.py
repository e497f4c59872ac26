"""When Slack fails: slow down, streams that die, stale triggers, deleted messages. Each ends in something sensible."""

import asyncio
from typing import Any

import pytest

from deploy.workspace.server import Running
from store.tables import Answer, Vote
from store.words import DeliveryState, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.effects import quiet
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_feedback import answered, modal_of
from tests.fixtures_workspace import SUPPORT, Person, switch

Json = dict[str, Any]
LONG = "one two three four five six seven eight nine ten eleven twelve"


async def bot_lines(person: Person, ts: str) -> list[Json]:
    return [line for line in await person.messages(SUPPORT, ts) if line.get("bot_id")]


def limited(method: str, times: int = 1) -> Json:
    return {"method": method, "status": 429, "retry_after_s": 1, "error": "ratelimited", "times": times}


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "users.info"])
async def test_a_rate_limit_delays_an_answer_and_loses_nothing(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel, method: str
) -> None:
    await switch(workspace, "faults", calls=[limited(method)])
    model.pause_s = 0.05
    ts = await ana.post(SUPPORT, f"@nightschool {LONG}")
    answer = await answer_to(ana, ts)
    await recorded(bot)
    assert f"base answers: {LONG}" in str(answer["blocks"])
    assert len(await bot_lines(ana, ts)) == 1


async def test_a_rate_limit_delays_thanks_and_the_form_behind_a_thumb(
    bot: RunningBot, ana: Person, workspace: Running
) -> None:
    answer = await answered(bot, ana)
    await switch(workspace, "faults", calls=[limited("views.open"), limited("chat.postEphemeral")])
    await ana.click(answer, "vote", f"down:{rows(bot, Answer)[0].id}")
    view = await modal_of(ana)
    assert view["title"]["text"] == "What went wrong?"
    assert [vote.value for vote in rows(bot, Vote)] == [VoteValue.DOWN]


@pytest.mark.parametrize("life", [{"appends": 1}, {"appends": 0}, {"seconds": 0.3}])
async def test_a_stream_that_expires_midway_still_becomes_the_whole_answer(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel, life: Json
) -> None:
    await switch(workspace, "faults", streams=[life])
    model.pause_s = 0.12
    ts = await ana.post(SUPPORT, f"@nightschool {LONG}")
    answer = await answer_to(ana, ts)
    (stored,) = await recorded(bot)
    assert f"base answers: {LONG}" in str(answer["blocks"])
    assert stored.message_ts == answer["ts"]
    assert len(await bot_lines(ana, ts)) == 1
    assert (await bot_lines(ana, ts))[0].get("streaming_state") != "in_progress"


async def test_a_thumb_whose_trigger_is_stale_counts_and_says_how_to_tell_why(
    bot: RunningBot, ana: Person, workspace: Running
) -> None:
    answer = await answered(bot, ana)
    await switch(workspace, "faults", stale_triggers=1)
    await ana.click(answer, "vote", f"down:{rows(bot, Answer)[0].id}")
    told = await ana.wait_for_message(lambda message: message.get("is_ephemeral"))
    assert "took too long" in told["text"]
    assert "press it again" in told["text"].lower()
    assert [vote.value for vote in rows(bot, Vote)] == [VoteValue.DOWN]
    ana.forget()
    await ana.click(answer, "vote", f"down:{rows(bot, Answer)[0].id}")
    assert (await modal_of(ana))["title"]["text"] == "What went wrong?"


async def test_a_review_whose_trigger_is_stale_says_so_in_a_direct_message(
    bot: RunningBot, ana: Person, ravi: Person, workspace: Running
) -> None:
    await answered(bot, ana)
    await ravi.open_home()
    home = (await ravi.wait_for(lambda event: event["type"] == "home"))["view"]
    await switch(workspace, "faults", stale_triggers=1)
    await ravi.click(home, "review_answer")
    told = await ravi.wait_for_message(lambda message: message["channel"] == ravi.dm and message.get("bot_id"))
    assert "took too long" in told["text"]
    await ravi.click(home, "review_answer")
    assert (await modal_of(ravi))["callback_id"] == "review"


async def test_a_question_deleted_while_it_is_answered_takes_all_of_it_along(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel
) -> None:
    model.pause_s = 0.15
    ts = await ana.post(SUPPORT, f"@nightschool {LONG}")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await recorded(bot, DeliveryState.WITHDRAWN)
    await quiet(bot)
    assert await bot_lines(ana, ts) == []
    assert model.cut_off == 1


async def test_an_answer_that_an_admin_deletes_while_it_is_written_is_not_written_again(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel
) -> None:
    model.pause_s = 0.15
    ts = await ana.post(SUPPORT, f"@nightschool {LONG}")
    first = await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await switch(workspace, "delete", channel=SUPPORT, ts=first["ts"])
    await quiet(bot, 20)
    assert await bot_lines(ana, ts) == []
    model.pause_s = 0.0
    await ana.post(SUPPORT, "@nightschool and now?", thread_ts=ts)
    again = await answer_to(ana, ts)
    assert "and now?" in str(again["blocks"])


async def test_slow_answers_of_slack_change_nothing(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel
) -> None:
    slow = [
        {"method": method, "delay_s": 0.6, "error": ""}
        for method in ("users.info", "chat.startStream", "chat.appendStream", "chat.stopStream")
    ]
    await switch(workspace, "faults", calls=slow)
    model.pause_s = 0.05
    ts = await ana.post(SUPPORT, f"@nightschool {LONG}")
    assert f"base answers: {LONG}" in str((await answer_to(ana, ts))["blocks"])
    assert len(await bot_lines(ana, ts)) == 1


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", ""])
async def test_a_lost_connection_loses_no_question(
    bot: RunningBot, ana: Person, workspace: Running, model: ScriptedModel, reason: str
) -> None:
    model.pause_s = 0.05
    before = await ana.post(SUPPORT, f"@nightschool {LONG}")
    await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
    await switch(workspace, "disconnect", reason=reason)
    meanwhile = await ana.post(SUPPORT, "@nightschool meanwhile?")
    assert LONG in str((await answer_to(ana, before))["blocks"])
    assert "meanwhile?" in str((await answer_to(ana, meanwhile))["blocks"])
    await asyncio.sleep(0.5)
    assert [len(await bot_lines(ana, ts)) for ts in (before, meanwhile)] == [1, 1]
