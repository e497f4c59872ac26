"""Channels and roles, as admins set them in the Home tab."""

from typing import Any

import pytest

from bot.blocks.home.places import CHANGE_CHANNEL_ACTION, CHANGE_ROLE_ACTION, CHOOSE_CHANNEL_ACTION
from store import channels, duties, trials
from store.errors import BadInput
from store.session import Store
from store.settings import Settings
from store.tables import Channel
from store.words import Answering, Duty
from tests.bot.conftest import RunningBot
from tests.bot.nights import finished_night
from tests.bot.test_asking import Json
from tests.bot.test_feedback import modal_of
from tests.bot.test_inbox import until
from tests.bot.test_promoting import home_of
from tests.fixtures_workspace import ANA, BOT_USER, GENERAL, MEI, RAVI, SUPPORT, TOM, Person

TEAM = "T0LOCAL0001"


def option(value: str) -> Json:
    return {"selected_option": {"value": value, "text": {"type": "plain_text", "text": value}}}


def options(*values: str) -> Json:
    return {"selected_options": [option(value)["selected_option"] for value in values]}


async def opened(person: Person, action_id: str) -> Json:
    for _ in range(5):
        person.forget()
        home = await home_of(person)
        # The tab may be shown anew at the same moment, after an earlier step: then its buttons are new ones.
        if (await person.click(home, action_id))["ok"]:
            return await modal_of(person)
    raise AssertionError(f"{action_id} could not be clicked")


async def settings_form(person: Person, channel_id: str) -> Json:
    form = await opened(person, CHOOSE_CHANNEL_ACTION)
    answer = await person.submit(form, {"channel": {"selected_conversation": channel_id}})
    view: Json = answer["view"]
    return view


def stored(bot: RunningBot, channel_id: str) -> Channel:
    with bot.store.reading() as session:
        return channels.settings_of(session, TEAM, channel_id)


async def test_a_channel_is_set_up_and_listed_and_changed_again(bot: RunningBot, mei: Person) -> None:
    form = await settings_form(mei, SUPPORT)
    values = {
        "answering": option("questions"), "uses": options("documents"), "confidence": "62.5",
        "persona": "Answer in French.", "on_call_person": {"selected_user": RAVI},
    }  # fmt: skip
    assert (await mei.submit(form, values))["closed"]
    home = await mei.wait_for(lambda event: event["type"] == "home" and f"<#{SUPPORT}>" in str(event["view"]))
    shown = str(home["view"]["blocks"])
    for words in ("answers every question", "62 %", "nothing is learnt", "Answer in French.", f"<@{RAVI}>"):
        assert words in shown
    channel = stored(bot, SUPPORT)
    assert (channel.answering, channel.min_confidence, channel.documents, channel.trainable) == (
        Answering.QUESTIONS, 0.625, True, False,
    )  # fmt: skip
    assert (channel.persona, channel.on_call, channel.updated_by) == ("Answer in French.", RAVI, MEI)

    form = await opened(mei, CHANGE_CHANNEL_ACTION)
    assert "62.5" in str(form["blocks"])
    back = {
        "answering": option("mentions"), "uses": options("documents", "trainable"), "confidence": "",
        "persona": "", "on_call_person": {"selected_user": None},
    }  # fmt: skip
    assert (await mei.submit(form, back))["closed"]
    await until(lambda: stored(bot, SUPPORT).on_call == "")
    with bot.store.reading() as session:
        assert channels.changed(session) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"confidence": "101"}, "confidence"),
        ({"confidence": "-1"}, "confidence"),
        ({"confidence": "a lot"}, "confidence"),
        ({"confidence": "1e9"}, "confidence"),
        ({"on_call_group": "@oncall"}, "on_call_group"),
        ({"on_call_group": "<!channel>"}, "on_call_group"),
        ({"on_call_group": "S0123456", "on_call_person": {"selected_user": RAVI}}, "on_call_group"),
        ({"answering": option("everything")}, "answering"),
    ],
)
async def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_stored(
    bot: RunningBot, mei: Person, values: dict[str, Any], field: str
) -> None:
    form = await settings_form(mei, SUPPORT)
    assert list((await mei.submit(form, values))["errors"]) == [field]
    assert stored(bot, SUPPORT).updated_by == ""


async def test_a_channel_without_the_bot_or_a_direct_message_cannot_be_set_up(bot: RunningBot, mei: Person) -> None:
    form = await opened(mei, CHOOSE_CHANNEL_ACTION)
    for channel_id in ("C0NOWHERE01", mei.dm):
        answer = await mei.submit(form, {"channel": {"selected_conversation": channel_id}})
        assert list(answer["errors"]) == ["channel"]


def test_channels_that_differ_are_listed_and_a_notice_is_given_once(store: Store) -> None:
    with store.writing() as session:
        channels.save(session, Channel(team_id=TEAM, channel_id=GENERAL, answering=Answering.MENTIONS), MEI)
        channels.save(session, Channel(team_id=TEAM, channel_id=SUPPORT, answering=Answering.OFF), MEI)
        assert [channels.notice(session, TEAM, SUPPORT) for _ in range(2)] == [True, False]
    with store.reading() as session:
        assert [channel.channel_id for channel in channels.changed(session)] == [SUPPORT]


async def change_role(person: Person, who: str, role: str) -> Json:
    form = await opened(person, CHANGE_ROLE_ACTION)
    return await person.submit(form, {"person": {"selected_user": who}, "role": option(role)})


async def test_a_role_is_given_at_once_and_taken_back(bot: RunningBot, mei: Person, tom: Person) -> None:
    assert (await change_role(mei, TOM, "reviewer"))["closed"]
    await tom.wait_for_message(lambda message: "You are a reviewer now" in message["text"])
    await tom.wait_for(lambda event: event["type"] == "home" and "Answers to review" in str(event["view"]))
    await mei.wait_for(lambda event: event["type"] == "home" and f"<@{TOM}> (by <@{MEI}>)" in str(event["view"]))
    assert (await change_role(mei, TOM, "none"))["closed"]
    with bot.store.reading() as session:
        assert TOM not in duties.duties(session, bot.services.settings).reviewers
    answer = await change_role(mei, TOM, "none")
    assert "given nothing" in answer["errors"]["role"]
    for who, role in ((RAVI, "none"), (MEI, "reviewer")):
        assert "settings file" in (await change_role(mei, who, role))["errors"]["role"]


@pytest.mark.parametrize("who", [BOT_USER, "U0NOBODY001"])
async def test_bots_and_unknown_people_get_no_role(bot: RunningBot, mei: Person, who: str) -> None:
    answer = await change_role(mei, who, "admin")
    assert list(answer["errors"]) == ["person"]
    with bot.store.reading() as session:
        assert duties.grants(session) == []


def test_the_last_admin_cannot_go(store: Store) -> None:
    nobody = Settings()
    with store.writing() as session:
        duties.grant(session, nobody, MEI, Duty.ADMIN, "setup")
    for step in (
        lambda s: duties.revoke(s, nobody, MEI, MEI),
        lambda s: duties.grant(s, nobody, MEI, Duty.REVIEWER, MEI),
    ):
        with pytest.raises(BadInput, match="nobody as admin"), store.writing() as session:
            step(session)
    with store.writing() as session:
        duties.grant(session, nobody, ANA, Duty.ADMIN, MEI)
        duties.revoke(session, nobody, MEI, MEI)
    with store.reading() as session:
        assert duties.duties(session, nobody).admins == {ANA}
        assert [grant.person_id for grant in duties.grants(session)] == [ANA]


async def test_who_is_admin_no_more_tries_no_version(bot: RunningBot, mei: Person, tmp_path: Any) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    with bot.store.writing() as session:
        duties.grant(session, bot.services.settings, TOM, Duty.ADMIN, MEI)
        trials.start(session, TOM, "v1")
    assert (await change_role(mei, TOM, "none"))["closed"]
    with bot.store.reading() as session:
        assert trials.of(session, TOM) is None
