import asyncio
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot import app as bot_app
from bot import permissions
from bot.blocks.card import HOLD_ACTION, PROMOTE_ACTION
from bot.blocks.home.operating import CANCEL_NIGHT_ACTION, RUN_NIGHT_ACTION
from bot.blocks.home.reviewing import REVIEW_ACTION
from bot.blocks.home.versions import Step
from bot.metadata import ReviewFlow, StepPlace
from store import adapters, nights, outbox
from store.duties import duties, grant, revoke
from store.errors import BadInput, NotAllowed
from store.tables import Night, Promotion, Review
from store.words import Duty
from tests.bot.conftest import RunningBot
from tests.bot.nights import finished_night
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ADMINS, ANA, MEI, RAVI, TOM, Person

STRANGER = "U0STRANGE01"
NOBODY = ""
EVERYBODY = [TOM, RAVI, MEI, STRANGER, NOBODY]


async def test_admins_are_reviewers_and_nobody_else_is_anything(bot: RunningBot) -> None:
    held = await bot.store.read(duties, bot.services.settings)
    assert [person in held.reviewers for person in EVERYBODY] == [False, True, True, False, False]
    assert [person in held.admins for person in EVERYBODY] == [False, False, True, False, False]
    with pytest.raises(NotAllowed, match=MEI):
        await permissions.require_admin(bot.services, RAVI)


async def test_a_duty_given_in_slack_holds_at_once_and_can_be_taken_back(bot: RunningBot) -> None:
    settings = bot.services.settings
    await bot.store.write(grant, settings, TOM, Duty.REVIEWER, MEI)
    await permissions.require_reviewer(bot.services, TOM)
    with pytest.raises(NotAllowed):
        await permissions.require_admin(bot.services, TOM)
    await bot.store.write(grant, settings, TOM, Duty.ADMIN, MEI)
    await permissions.require_admin(bot.services, TOM)
    await bot.store.write(revoke, settings, TOM, MEI)
    with pytest.raises(NotAllowed):
        await permissions.require_reviewer(bot.services, TOM)
    with pytest.raises(BadInput, match="settings file"):
        await bot.store.write(revoke, settings, RAVI, MEI)
    with pytest.raises(BadInput, match="nothing"):
        await bot.store.write(revoke, settings, TOM, MEI)


def click(person: str, action_id: str, value: str, number: int) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": person, "team_id": "T0LOCAL0001"},
        "team": {"id": "T0LOCAL0001"},
        "trigger_id": f"forged.{number}",
        "container": {"type": "message", "channel_id": ADMINS, "message_ts": "1.1"},
        "channel": {"id": ADMINS},
        "actions": [{"type": "button", "block_id": "b", "action_id": action_id, "value": value, "action_ts": number}],
    }


def submission(person: str, answer_id: int) -> dict[str, Any]:
    values = {"verdict": {"verdict": {"selected_option": {"value": "accepted"}}}}
    return {
        "type": "view_submission",
        "user": {"id": person},
        "team": {"id": "T0LOCAL0001"},
        "view": {
            "type": "modal",
            "callback_id": "review",
            "private_metadata": ReviewFlow(answer_id).dump(),
            "state": {"values": values},
        },
    }


def step(person: str, wanted: Step, name: str) -> dict[str, Any]:
    view = {"type": "modal", "id": f"V{wanted}{name}", "callback_id": "version_step", "state": {"values": {}}}
    view["private_metadata"] = StepPlace(wanted.value, name).dump()
    return {"type": "view_submission", "user": {"id": person}, "team": {"id": "T0LOCAL0001"}, "view": view}


async def send(app: AsyncApp, body: dict[str, Any]) -> None:
    response = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    assert response.status == 200


@pytest.mark.parametrize("person", EVERYBODY)
async def test_each_action_is_open_to_exactly_its_roles(
    bot: RunningBot, ana: Person, tmp_path: Path, person: str
) -> None:
    await answered(bot, ana)
    night_id = finished_night(bot.store, tmp_path / "chart.png")
    app = bot_app.create_app(bot.services)
    await send(app, submission(person, 1))
    assert len(rows(bot, Review)) == (1 if person in (RAVI, MEI) else 0)
    await send(app, click(person, REVIEW_ACTION, "1", 1))
    await send(app, click(person, HOLD_ACTION, str(night_id), 2))
    await send(app, click(person, RUN_NIGHT_ACTION, "now", 3))
    await send(app, click(person, PROMOTE_ACTION, "v1", 4))
    if person == MEI:
        await until(lambda: len(rows(bot, Promotion)) == 1)
        await send(app, step(person, Step.ROLL_BACK, "v1"))
        await until(lambda: len(rows(bot, Promotion)) == 2)
    else:
        await send(app, step(person, Step.ROLL_BACK, "base"))
        await asyncio.sleep(0.3)
    with bot.store.reading() as session:
        held = outbox.by_key(session, f"night-{night_id}")
        assert adapters.production(session) == "base"
    assert held is not None
    assert ("held_by" in held.payload) == (person == MEI)
    assert len(rows(bot, Promotion)) == (2 if person == MEI else 0)
    assert len(rows(bot, Night)) == (2 if person == MEI else 1)


@pytest.mark.parametrize("person", EVERYBODY)
async def test_only_admins_cancel_a_night(bot: RunningBot, person: str) -> None:
    with bot.store.writing() as session:
        nights.begin(session, nights.request(session, "schedule").id or 0)
    await send(bot_app.create_app(bot.services), click(person, CANCEL_NIGHT_ACTION, "now", 1))
    await asyncio.sleep(0.3)
    assert rows(bot, Night)[0].cancelled_by == (MEI if person == MEI else "")


async def test_the_one_who_may_not_is_told_so_in_words(bot: RunningBot, ravi: Person, tmp_path: Path) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    card = await ravi.wait_for_message(lambda message: PROMOTE_ACTION in str(message.get("blocks")))
    await ravi.click(card, PROMOTE_ACTION)
    told = await ravi.wait_for_message(lambda message: message.get("is_ephemeral"))
    assert "Only admins may do this" in told["text"]
    assert rows(bot, Promotion) == []


@pytest.mark.parametrize("value", ["", "v99", "base", "../v1", "v1' OR 1=1", "v1\x00"])
async def test_forged_versions_are_refused(bot: RunningBot, tmp_path: Path, value: str) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    app = bot_app.create_app(bot.services)
    await send(app, click(MEI, PROMOTE_ACTION, value, 1))
    for number, wanted in enumerate(Step):
        await send(app, step(MEI, wanted, value))
        await send(app, click(MEI, "version_step", f"{wanted.value}:{value}", 10 + number))
    await send(app, click(MEI, HOLD_ACTION, value, 3))
    await send(app, click(MEI, REVIEW_ACTION, value, 4))
    await asyncio.sleep(0.2)
    assert rows(bot, Promotion) == []


async def test_home_shows_each_role_its_own(bot: RunningBot, ana: Person, ravi: Person, mei: Person) -> None:
    shown = {}
    for person in (ana, ravi, mei):
        await person.open_home()
        event = await person.wait_for(lambda event: event["type"] == "home")
        shown[person.user_id] = str(event["view"]["blocks"])
    assert ["Ask me" in text for text in shown.values()] == [True, True, True]
    assert ["Answers to review" in text for text in shown.values()] == [False, True, True]
    assert ["Versions" in text for text in shown.values()] == [False, False, True]
    assert ANA in shown


@pytest.mark.parametrize(
    "body",
    [
        {"type": "block_actions", "user": {"id": MEI}, "actions": [{"type": "button", "action_id": "old"}]},
        {"type": "view_submission", "user": {"id": MEI}, "view": {"type": "modal", "callback_id": "old"}},
        {"type": "view_closed", "user": {"id": MEI}, "view": {"type": "modal", "callback_id": "review"}},
        {"type": "shortcut", "callback_id": "old", "user": {"id": MEI}},
        {"type": "message_action", "callback_id": "old", "user": {"id": MEI}},
        {"command": "/old", "user_id": MEI, "team_id": "T0LOCAL0001"},
    ],
)
async def test_what_nobody_listens_to_is_still_acknowledged(bot: RunningBot, body: dict[str, Any]) -> None:
    await send(bot_app.create_app(bot.services), body)
