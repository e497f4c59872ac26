"""A private answer, and what its asker can do with it: share it once, vote, solve."""

from typing import Any

from bot.blocks.answer import SHARE_ACTION, SOLVE_ACTION
from bot.blocks.feedback import VOTE_ACTION
from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.tables import Answer, Message, Ticket, Vote
from store.words import Role, TicketStatus, Visibility
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_helping import told
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


async def private_answer(bot: RunningBot, person: Person, channel: str = SUPPORT) -> Json:
    await person.do("command", channel=channel, command="/ask", text="Who pays for R&D?")
    message = await person.wait_for_message(lambda line: VOTE_ACTION in str(line.get("blocks")))
    await recorded(bot)
    return message


async def test_a_private_answer_is_shared_once_as_a_thread_of_the_channel(
    bot: RunningBot, ana: Person, tom: Person
) -> None:
    private = await private_answer(bot, ana)
    assert private["is_ephemeral"]
    await ana.click(private, SHARE_ACTION)
    await ana.click(private, SHARE_ACTION)
    answer_shown = await tom.wait_for_message(lambda line: "base answers: Who pays" in line.get("text", ""))
    await ana.wait_for_message(lambda line: line["ts"] == private["ts"] and "Shared" in line["text"])
    await told(ana, "in the channel already")
    thread = await tom.messages(SUPPORT, answer_shown["thread_ts"])
    root = thread[0]
    assert f"<@{ana.user_id}> asked me" in root["text"]
    assert "R&amp;D" in root["text"]
    assert [line["ts"] for line in thread] == [root["ts"], answer_shown["ts"]]
    assert SHARE_ACTION not in str(answer_shown["blocks"])
    (ticket,), (answer,) = rows(bot, Ticket), rows(bot, Answer)
    assert (ticket.thread_ts, ticket.visibility) == (root["ts"], Visibility.PUBLIC)
    assert (answer.message_ts, answer.question_ts) == (answer_shown["ts"], root["ts"])
    await tom.click(answer_shown, VOTE_ACTION, "up:1")
    await until(lambda: [vote.person_id for vote in rows(bot, Vote)] == [tom.user_id])
    ana.forget()
    await ana.post(SUPPORT, "And for guests?", root["ts"])
    await answer_to(ana, root["ts"])
    await recorded(bot, count=2)
    lines = sorted(rows(bot, Message), key=lambda line: line.ts)
    assert [line.role for line in lines] == [Role.ASKER, Role.BOT, Role.ASKER, Role.BOT]
    assert [turn["role"] for turn in rows(bot, Answer)[1].messages] == ["system", "user", "assistant", "user"]


async def test_sharing_survives_a_post_whose_answer_was_lost(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running
) -> None:
    private = await private_answer(bot, ana)
    workspace.workspace.faults.add("conversations.info")
    workspace.workspace.faults.add("chat.postMessage", Fault(200, None, "internal_error"))
    await ana.click(private, SHARE_ACTION)
    await until(lambda: rows(bot, Ticket)[0].visibility == Visibility.PUBLIC, 15.0)
    shared = [line for line in await tom.messages(SUPPORT) if "shares it with you" in line.get("text", "")]
    assert len(shared) == 1


async def test_what_cannot_be_shared_is_said_to_the_asker(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running
) -> None:
    private = await private_answer(bot, ana)
    workspace.workspace.faults.add("chat.postMessage", Fault(200, None, "not_in_channel"))
    await ana.click(private, SHARE_ACTION)
    await ana.wait_for_message(lambda line: line["ts"] == private["ts"] and "nothing was shared" in line["text"])
    assert rows(bot, Ticket)[0].visibility == Visibility.DIRECT
    assert not [line for line in await tom.messages(SUPPORT) if line.get("bot_id")]


async def test_a_private_answer_in_a_direct_message_has_nowhere_to_be_shared(bot: RunningBot, ana: Person) -> None:
    assert SHARE_ACTION not in str((await private_answer(bot, ana, ana.dm))["blocks"])


async def test_a_private_answer_can_be_solved_by_its_asker(bot: RunningBot, ana: Person) -> None:
    private = await private_answer(bot, ana)
    await ana.click(private, SOLVE_ACTION)
    await ana.wait_for_message(lambda line: line["ts"] == private["ts"] and "Solved, says" in str(line["blocks"]))
    assert rows(bot, Ticket)[0].status == TicketStatus.RESOLVED
