"""Called into a running thread, the bot reads what was said before, once."""

from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.tables import Message, Ticket
from store.words import Role
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.fixtures_workspace import SUPPORT, Person


async def test_mentioned_in_a_running_thread_it_knows_what_was_said(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    ts = await tom.post(SUPPORT, "The printer on floor 2 smells.")
    await ana.post(SUPPORT, "Did you <https://wiki.example/p|open it>?", ts)
    await tom.post(SUPPORT, "Yes, it is the drum.", ts)
    await ana.post(SUPPORT, "@nightschool what do we do?", ts)
    await answer_to(ana, ts)
    await recorded(bot)
    said = model.requests[0]["messages"][-1]["content"].splitlines()
    assert said[0] == "The printer on floor 2 smells."
    assert said[2:] == ["Yes, it is the drum.", "what do we do?"]
    assert [line.role for line in rows(bot, Message)] == [
        Role.HELPER, Role.ASKER, Role.HELPER, Role.ASKER, Role.BOT
    ]  # fmt: skip
    ana.forget()
    await ana.post(SUPPORT, "and after that?", ts)
    await answer_to(ana, ts)
    assert model.requests[1]["messages"][1]["content"].splitlines()[0] == "The printer on floor 2 smells."


async def test_a_mention_without_a_word_asks_what_the_thread_began_with(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    ts = await tom.post(SUPPORT, "How do I scan to mail?")
    await tom.post(SUPPORT, "Nobody?", ts)
    await ana.post(SUPPORT, "@nightschool", ts)
    message = await answer_to(ana, ts)
    assert message["text"].endswith("How do I scan to mail?")
    assert rows(bot, Ticket)[0].question == "How do I scan to mail?"


async def test_a_shortcut_in_a_running_thread_reads_it_too(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    ts = await tom.post(SUPPORT, "The coffee machine says E4.")
    reply = await tom.post(SUPPORT, "What does E4 mean?", ts)
    await ana.do("shortcut", callback_id="ask_about_message", channel=SUPPORT, ts=reply)
    await answer_to(tom, ts)
    assert model.requests[0]["messages"][-1]["content"].splitlines() == [
        "The coffee machine says E4.",
        "What does E4 mean?",
    ]


async def test_a_thread_that_cannot_be_read_is_answered_all_the_same(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running
) -> None:
    ts = await tom.post(SUPPORT, "The lift is stuck.")
    workspace.workspace.faults.add("conversations.replies", Fault(200, None, "internal_error"))
    await ana.post(SUPPORT, "@nightschool whom do we call?", ts)
    assert (await answer_to(ana, ts))["text"].endswith("whom do we call?")
