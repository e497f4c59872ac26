import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.blocks.card import HOLD_ACTION, PROMOTE_ACTION
from bot.blocks.home.operating import CANCEL_NIGHT_ACTION, RUN_NIGHT_ACTION
from bot.blocks.home.versions import VERSION_STEP_ACTION, Step
from store import adapters, nights, outbox
from store.alerts import Alert
from store.errors import ModelUnavailable
from store.tables import Night, OutboxMessage, Promotion
from store.words import GateVerdict, NightState, OutboxState, Stage
from tests.bot.conftest import RunningBot
from tests.bot.nights import finished_night, raise_alerts
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_feedback import modal_of
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ADMINS, Person

Json = dict[str, Any]


def production(bot: RunningBot) -> str:
    with bot.store.reading() as session:
        return adapters.production(session)


def has_button(message: Json, action_id: str) -> bool:
    elements = [element for block in message.get("blocks", []) for element in block.get("elements", [])]
    return any(isinstance(element, dict) and element.get("action_id") == action_id for element in elements)


async def card_of(person: Person) -> Json:
    return await person.wait_for_message(lambda message: has_button(message, PROMOTE_ACTION))


async def home_of(person: Person) -> Json:
    await person.open_home()
    view: Json = (await person.wait_for(lambda event: event["type"] == "home"))["view"]
    return view


async def step_form(person: Person, step: Step, name: str) -> Json:
    """The modal that a step with a version opens, from its button in the Home tab."""
    home = await home_of(person)
    person.forget()
    block = next(block for block in home["blocks"] if f"{step.value}:{name}" in str(block))
    elements = [*block.get("elements", []), block.get("accessory")]
    element = next(one for one in elements if one and f"{step.value}:{name}" in str(one))
    chosen = [option for option in element.get("options", []) if option["value"] == f"{step.value}:{name}"]
    action = {"selected_option": chosen[0]} if chosen else {"value": element["value"]}
    place = {"view_id": home["id"], "block_id": block["block_id"], "action_id": element["action_id"]}
    assert element["action_id"].startswith(VERSION_STEP_ACTION)
    await person.do("action", **place, action=action, state={})
    return await modal_of(person)


async def test_the_card_shows_words_numbers_examples_and_its_chart(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png", measures=12)
    card = await card_of(mei)
    shown = str(card["blocks"])
    assert "Learnt from 40 answers, training took 60 s, comparing took 3 min. Method: SFT alone." in shown
    for words in ("v1 is better", "It is better by 0.25.", "Measure 11", "12 held-out questions", "Second floor."):
        assert words in shown
    assert "<!channel>" not in shown
    assert "<@U1>" not in shown
    for picture in ("chart", "curves"):
        await mei.wait_for_message(
            lambda message, title=f"night-1-{picture}.png": (
                message.get("thread_ts") == card["ts"] and title in str(message.get("files"))
            )
        )
    await until(lambda: {row.state for row in rows(bot, OutboxMessage)} == {OutboxState.SENT})
    assert len([line for line in await mei.messages(ADMINS) if line.get("bot_id") and not line.get("files")]) == 1


async def test_promote_on_the_card_moves_production_and_says_who_did_it(
    bot: RunningBot, mei: Person, ana: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    card = await card_of(mei)
    mei.forget()
    assert (await mei.click(card, PROMOTE_ACTION))["ok"]
    busy = await mei.wait_for_message(lambda message: "Promoting v1" in str(message.get("blocks")))
    assert not has_button(busy, PROMOTE_ACTION)
    done = await mei.wait_for_message(lambda message: "promoted v1" in str(message.get("blocks")))
    assert f"<@{mei.user_id}>" in str(done["blocks"])
    assert not has_button(done, PROMOTE_ACTION)
    assert production(bot) == "v1"
    assert bot.fleet.loaded == ["v1"]
    (move,) = rows(bot, Promotion)
    assert (move.person_id, move.evaluation_id) == (mei.user_id, 1)
    ts = await ana.post(ana.dm, "who are you?")
    assert (await answer_to(ana, ts))["text"] == "v1 answers: who are you?"
    (answer,) = await recorded(bot)
    assert answer.adapter == "v1"


async def test_a_failed_promotion_is_said_in_words_and_the_button_comes_back(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    card = await card_of(mei)
    bot.fleet.refusal = ModelUnavailable("The model server is down; try again in a minute.")
    mei.forget()
    await mei.click(card, PROMOTE_ACTION)
    card = await mei.wait_for_message(lambda message: "The model server is down" in str(message.get("blocks")))
    assert has_button(card, PROMOTE_ACTION)
    assert production(bot) == "base"
    bot.fleet.refusal = None
    mei.forget()
    await mei.click(card, PROMOTE_ACTION)
    await mei.wait_for_message(lambda message: "promoted v1" in str(message.get("blocks")))
    assert production(bot) == "v1"


@pytest.mark.parametrize("verdict", [GateVerdict.HOLD, GateVerdict.REJECT])
async def test_against_the_evidence_a_version_is_promoted_only_with_a_reason_on_record(
    bot: RunningBot, mei: Person, tmp_path: Path, verdict: GateVerdict
) -> None:
    finished_night(bot.store, tmp_path / "chart.png", verdict=verdict)
    card = await card_of(mei)
    assert "Breaks a correction" in str(card["blocks"])
    mei.forget()
    await mei.click(card, PROMOTE_ACTION)
    form = await modal_of(mei)
    assert "The evidence does not speak for v1" in str(form["blocks"])
    refused = await mei.submit(form, {"note": "  "})
    assert not refused.get("closed")
    assert production(bot) == "base"
    await mei.submit(form, {"note": "The examples are fine: the references are old."})
    await until(lambda: production(bot) == "v1")
    (move,) = rows(bot, Promotion)
    assert (move.person_id, move.reason) == (mei.user_id, "The examples are fine: the references are old.")


async def test_hold_leaves_production_and_says_who_holds(bot: RunningBot, mei: Person, tmp_path: Path) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    card = await card_of(mei)
    mei.forget()
    await mei.click(card, HOLD_ACTION)
    held = await mei.wait_for_message(lambda message: "holds v1" in str(message.get("blocks")))
    assert has_button(held, PROMOTE_ACTION)
    assert production(bot) == "base"


async def test_a_click_before_the_card_s_place_is_recorded_is_not_lost(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png", 1)
    card = await card_of(mei)
    await until(lambda: card_message(bot).state == OutboxState.SENT)
    with bot.store.writing() as session:
        session.get_one(OutboxMessage, card_message(bot).id).message_ts = ""
    mei.forget()
    await mei.click(card, HOLD_ACTION)
    await asyncio.sleep(0.2)
    with bot.store.writing() as session:
        session.get_one(OutboxMessage, card_message(bot).id).message_ts = card["ts"]
    await mei.wait_for_message(lambda message: "holds v1" in str(message.get("blocks")))


def card_message(bot: RunningBot) -> OutboxMessage:
    return next(message for message in rows(bot, OutboxMessage) if message.kind == "morning_card")


async def test_home_promotes_and_rolls_back_once_however_often_it_is_clicked(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png", 1)
    finished_night(bot.store, tmp_path / "chart2.png", 2)
    for name in ("v2", "v1"):
        form = await step_form(mei, Step.PROMOTE, name)
        mei.forget()
        assert (await mei.submit(form, {"note": f"{name} <!channel> is *good*"}))["closed"]
        await until(lambda name=name: production(bot) == name)
        await mei.wait_for(
            lambda event, name=name: event["type"] == "home" and f"answers with *{name}*" in str(event["view"])
        )
        mei.forget()
    assert "Roll back to v2" in str((await home_of(mei))["blocks"])
    form = await step_form(mei, Step.ROLL_BACK, "v1")
    await asyncio.gather(*(mei.submit(form, {"note": "too chatty"}) for _ in range(3)))
    await until(lambda: production(bot) == "v2")
    await asyncio.sleep(0.5)
    assert production(bot) == "v2"
    assert [move.reason for move in rows(bot, Promotion)] == [
        "v2 <!channel> is *good*", "v1 <!channel> is *good*", "too chatty",
    ]  # fmt: skip
    shown = await mei.wait_for(lambda event: event["type"] == "home" and "too chatty" in str(event["view"]))
    assert "<!channel>" not in str(shown)


async def test_a_night_can_be_asked_for_once(bot: RunningBot, mei: Person) -> None:
    home = await home_of(mei)
    mei.forget()
    await asyncio.gather(*(mei.click(home, RUN_NIGHT_ACTION) for _ in range(2)))
    later = await mei.wait_for(lambda event: event["type"] == "home" and "about to start" in str(event["view"]))
    assert RUN_NIGHT_ACTION not in str(later["view"]["blocks"])
    await mei.wait_for(lambda event: "asked for or running already" in str(event.get("view")))
    (night,) = rows(bot, Night)
    assert (night.state, night.requested_by) == (NightState.REQUESTED, mei.user_id)


@pytest.mark.parametrize(
    ("state", "words"), [(NightState.DECLINED, "Nothing to learn"), (NightState.FAILED, "Last night failed")]
)
async def test_a_night_without_a_candidate_gets_a_short_card(
    bot: RunningBot, mei: Person, state: NightState, words: str
) -> None:
    with bot.store.writing() as session:
        night = nights.request(session, "U1")
        nights.finish(session, night.id or 0, state, "Only 3 reviewed answers.")
        outbox.owe(session, f"night-{night.id}", "morning_card", {"night_id": night.id})
    card = await mei.wait_for_message(lambda message: words in str(message.get("blocks")))
    assert "Only 3 reviewed answers." in str(card["blocks"])
    assert not has_button(card, PROMOTE_ACTION)


async def test_admins_see_how_a_night_goes_and_can_cancel_it(
    bot: RunningBot, mei: Person, ravi: Person, ana: Person
) -> None:
    with bot.store.writing() as session:
        night = nights.request(session, "schedule")
        nights.begin(session, night.id or 0)
        nights.begin_stage(session, night.id or 0, Stage.TRAIN)
        progress = {"step": 3, "steps": 9, "loss": 1.25, "tokens_per_s": 510.0, "seconds_left": 42.0}
        nights.note(session, night.id or 0, Stage.TRAIN, progress)
    home = await home_of(mei)
    assert "step 3 of 9, loss 1.25, 510 tokens/s, about 42 s left" in str(home["blocks"])
    for other in (ravi, ana):
        assert CANCEL_NIGHT_ACTION not in str((await home_of(other))["blocks"])

    mei.forget()
    await mei.click(home, CANCEL_NIGHT_ACTION)
    later = await mei.wait_for(lambda event: event["type"] == "home" and "ends within seconds" in str(event["view"]))
    assert f"Cancelled by <@{mei.user_id}>" in str(later["view"]["blocks"])
    assert CANCEL_NIGHT_ACTION not in str(later["view"]["blocks"])
    assert rows(bot, Night)[0].cancelled_by == mei.user_id
    with bot.store.writing() as session:
        nights.finish(session, night.id or 0, NightState.CANCELLED, f"Cancelled by {mei.user_id}.")
    mei.forget()
    ended = await home_of(mei)
    assert f"Cancelled by <@{mei.user_id}>" in str(ended["blocks"])
    assert RUN_NIGHT_ACTION in str(ended["blocks"])


@pytest.mark.parametrize("finished", [True, False])
async def test_the_card_tells_what_an_admin_should_look_at(
    bot: RunningBot, mei: Person, tmp_path: Path, finished: bool
) -> None:
    alert = Alert("One person asked 500 of the 600 answers; 475 of them wait, like <!channel>.", ("U0STUBBORN1",))
    if finished:
        finished_night(bot.store, tmp_path / "chart.png", raised=[alert])
    else:
        with bot.store.writing() as session:
            night = nights.request(session, "U1")
            raise_alerts(session, night.id or 0, [alert])
            nights.finish(session, night.id or 0, NightState.DECLINED, "Too few.")
            outbox.owe(session, f"night-{night.id}", "morning_card", {"night_id": night.id})
    card = await mei.wait_for_message(lambda message: "475 of them wait" in str(message.get("blocks")))
    assert "<@U0STUBBORN1>" in str(card["blocks"])
    assert "<!channel>" not in str(card["blocks"])
