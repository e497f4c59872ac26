"""First-use notices, `/nightschool help`, and `/nightschool privacy` with its choices."""

import pytest

from bot.blocks.privacy import FIX_NOTICES_ACTION, LEARNING_ACTION
from deploy.workspace import events
from deploy.workspace.server import Running
from store import datasets, people
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import InboxEvent, OutboxMessage
from store.tables import Person as Chosen
from store.words import InboxState, OutboxState
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import Json, answer_to, recorded, rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ANA, BOT_USER, SUPPORT, Person

TEAM = "T0LOCAL0001"


@pytest.fixture
def noticing(bot: RunningBot) -> RunningBot:
    """A bot that tells people and channels at their first use."""
    bot.services.settings.first_use_notices = True
    return bot


def is_notice(message: Json) -> bool:
    return "/nightschool privacy" in message.get("text", "")


async def test_a_person_is_told_once_where_only_they_read_it(noticing: RunningBot, ana: Person, tom: Person) -> None:
    await answered(noticing, ana)
    notice = await ana.wait_for_message(is_notice)
    assert notice["is_ephemeral"]
    assert "Only conversations in public channels are learnt from" in notice["text"]
    ana.forget()
    await answered(noticing, ana, "@nightschool and again?")
    await answer_to(tom, await tom.post(tom.dm, "how?"))
    told = await tom.wait_for_message(is_notice)
    assert told["channel"] == tom.dm
    assert not any(is_notice(event.get("message", {})) for event in ana.seen)


async def test_who_asks_in_private_first_is_told_in_their_direct_message(noticing: RunningBot, ana: Person) -> None:
    await ana.do("command", channel=SUPPORT, command="/ask", text="why?")
    assert (await ana.wait_for_message(is_notice))["channel"] == ana.dm


async def test_a_channel_is_told_once_when_the_bot_is_added(
    noticing: RunningBot, workspace: Running, ana: Person
) -> None:
    joined = {"type": "member_joined_channel", "channel": SUPPORT, "channel_type": "C", "team": TEAM}
    for user in (ANA, BOT_USER, BOT_USER):
        events.send(workspace.workspace, {**joined, "user": user, "event_ts": workspace.workspace.clock.next()})
    notice = await ana.wait_for_message(is_notice)
    assert (notice["channel"], notice.get("is_ephemeral")) == (SUPPORT, None)
    assert f"<@{BOT_USER}>" in notice["text"]
    await until(lambda: len(rows(noticing, InboxEvent)) == 3)
    await until(lambda: {event.state for event in rows(noticing, InboxEvent)} == {InboxState.DONE})
    await until(lambda: {owed.state for owed in rows(noticing, OutboxMessage)} == {OutboxState.SENT})
    assert len([message for message in await ana.messages(SUPPORT) if is_notice(message)]) == 1


async def command(person: Person, text: str) -> Json:
    person.forget()
    await person.do("command", channel=SUPPORT, command="/nightschool", text=text)
    return await person.wait_for_message(lambda message: message.get("is_ephemeral"))


@pytest.mark.parametrize("text", ["", "help", "anything else"])
async def test_help_says_how_to_ask_and_where_privacy_is(bot: RunningBot, ana: Person, text: str) -> None:
    told = await command(ana, text)
    assert "`/ask`" in told["text"]
    assert "`/nightschool privacy`" in told["text"]


async def test_a_person_sees_what_is_stored_and_leaves_learning_and_comes_back(bot: RunningBot, ana: Person) -> None:
    await answered(bot, ana)
    shown = await command(ana, " Privacy ")
    assert "1 question to me" in str(shown["blocks"])
    assert "1 message of yours" in str(shown["blocks"])
    assert "Forget me" in str(shown["blocks"])

    ana.forget()
    await ana.click(shown, LEARNING_ACTION)
    out = await ana.wait_for_message(lambda message: "You are left out" in str(message.get("blocks")))
    assert opted_out(bot) == {ANA}
    ana.forget()
    await ana.click(out, LEARNING_ACTION)
    back = await ana.wait_for_message(lambda message: "Your threads may be learnt" in str(message.get("blocks")))
    assert opted_out(bot) == set()
    ana.forget()
    await ana.click(back, FIX_NOTICES_ACTION)
    silent = await ana.wait_for_message(lambda message: "Tell me" in str(message.get("blocks")))
    assert not choices(bot).fix_notices
    await ana.click(silent, FIX_NOTICES_ACTION)
    await until(lambda: choices(bot).fix_notices)


def opted_out(bot: RunningBot) -> set[str]:
    with bot.store.reading() as session:
        return people.opted_out(session, bot.services.settings)


def choices(bot: RunningBot) -> Chosen:
    with bot.store.reading() as session:
        return people.get(session, TEAM, ANA)


async def test_what_a_person_chose_reaches_curation(bot: RunningBot, ana: Person) -> None:
    await answered(bot, ana)
    await recorded(bot)
    with bot.store.writing() as session:
        assert datasets.tickets_with(session, people.opted_out(session, bot.services.settings)) == set()
        people.set_learning(session, TEAM, ANA, opted_out=True)
    with bot.store.reading() as session:
        assert datasets.tickets_with(session, people.opted_out(session, bot.services.settings)) == {1}


def test_choices_and_counts_of_people(store: Store) -> None:
    settings = Settings(night=NightSettings(opted_out=["U_SET"]))
    with store.writing() as session:
        assert people.get(session, TEAM, ANA).fix_notices
        assert people.kept(session, ANA) == people.Kept(0, 0, 0, 0, 0)
        people.set_fix_notices(session, TEAM, ANA, wanted=False)
        people.set_learning(session, TEAM, ANA, opted_out=True)
        assert [people.notice(session, TEAM, ANA) for _ in range(2)] == [True, False]
    with store.reading() as session:
        chosen = session.get_one(Chosen, (TEAM, ANA))
        assert (chosen.fix_notices, chosen.learning_opt_out) == (False, True)
        assert people.opted_out(session, settings) == {"U_SET", ANA}
