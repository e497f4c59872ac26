"""A canary over the wire: begun in a form, seen in the Home tab, stopped by a click, rolled back by itself."""

import asyncio
from pathlib import Path

from bot import canarying
from bot.blocks.canary import CHANNELS_FIELD, SHARE_FIELD
from bot.blocks.home.versions import Step
from store import canaries
from store.errors import ModelUnavailable
from store.tables import Canary
from store.words import Arm, CanaryOutcome, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.nights import finished_night
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.bot.test_operating import press
from tests.bot.test_promoting import home_of, step_form
from tests.fixtures_workspace import SUPPORT, Person
from tests.trainer.tickets import add_unreviewed, cast


async def submit(mei: Person, share: str, channels: list[str]) -> dict[str, object]:
    form = await step_form(mei, Step.CANARY, "v1")
    label = "All of these channels or people" if share == "1" else f"{float(share):.0%}"
    values = {
        SHARE_FIELD: {"type": "static_select", "selected_option": option(share, label)},
        CHANNELS_FIELD: {"type": "multi_conversations_select", "selected_conversations": channels},
    }
    mei.forget()
    return await mei.submit(form, values)


def option(value: str, label: str) -> dict[str, object]:
    return {"value": value, "text": {"type": "plain_text", "text": label}}


async def test_an_admin_has_a_version_answer_a_channel_and_stops_it(
    bot: RunningBot, mei: Person, ana: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    refused = await submit(mei, "1", [])
    assert "would be a promotion" in str(refused)
    await submit(mei, "1", [SUPPORT])
    told = await mei.wait_for_message(lambda message: "from now on" in message.get("text", ""))
    assert f"v1 answers 100 % of the new threads of <#{SUPPORT}>" in told["text"]
    assert bot.fleet.loaded == ["v1"]
    ts = await ana.post(SUPPORT, "@nightschool who are you?")
    assert (await answer_to(ana, ts))["text"] == "v1 answers: who are you?"
    private = await ana.post(ana.dm, "and you?")
    assert (await answer_to(ana, private))["text"] == "base answers: and you?"
    assert [given.arm for given in await recorded(bot, count=2)] == [Arm.CANARY, Arm.CHAMPION]
    mei.forget()
    shown = str(await home_of(mei))
    assert "*v1* answers 100 %" in shown
    assert "0 of 1 threads (0 %) went wrong, of production's 0 of 1 threads (0 %)" in shown
    assert "v1 as canary" not in shown

    await press(mei, Step.STOP_CANARY, "v1")
    await until(lambda: [row.outcome for row in rows(bot, Canary)] == [CanaryOutcome.STOPPED])
    again = await ana.post(SUPPORT, "@nightschool and now?")
    assert (await answer_to(ana, again))["text"] == "base answers: and now?"
    mei.forget()
    assert "v1 as canary" in str(await home_of(mei))


async def test_a_version_that_cannot_be_loaded_does_not_begin(bot: RunningBot, mei: Person, tmp_path: Path) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    bot.fleet.refusal = ModelUnavailable("The model server is down; try again in a minute.")
    await submit(mei, "0.5", [])
    told = await mei.wait_for_message(lambda message: "cannot be a canary" in message.get("text", ""))
    assert "The model server is down" in told["text"]
    assert rows(bot, Canary) == []


async def test_one_that_does_worse_is_rolled_back_by_itself_and_the_admins_read_why(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    with bot.store.writing() as session:
        canaries.start(session, "v1", canaries.Part(0.1), "U0MEI000001")
        for number in range(12):
            given = add_unreviewed(session, f"question {number}", "No.", arm=Arm.CANARY, adapter="v1")
            cast(session, given, "U0ANA000001", VoteValue.DOWN)
    watching = asyncio.create_task(canarying.keep_watching(bot.services))
    told = await mei.wait_for_message(lambda message: "was rolled back" in str(message.get("blocks")))
    watching.cancel()
    assert "12 of 12 threads (100 %) went wrong" in str(told["blocks"])
    assert "the base model answers every thread again" in str(told["blocks"])
    assert [row.outcome for row in rows(bot, Canary)] == [CanaryOutcome.ROLLED_BACK]
