"""The buttons under an answer: a human is called once, solved and not solved, why this answer."""

import asyncio
from typing import Any

import pytest

from bot.blocks.answer import HUMAN_ACTION, SOLVE_ACTION, UNSOLVE_ACTION, WHY_ACTION
from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.session import Store
from store.settings import Settings
from store.tables import Adapter, Alias, Answer, Evaluation, Message, Night, OutboxMessage, Promotion, Review, Ticket
from store.words import GateVerdict, OutboxState, PromotionKind, Role, TicketStatus, Verdict
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_channel_settings import choose
from tests.bot.test_feedback import modal_of
from tests.bot.test_inbox import until
from tests.bot.test_streams import status_of
from tests.fixtures_workspace import ADMINS, GENERAL, MEI, RAVI, SUPPORT, TOM, Person

Json = dict[str, Any]


async def asked(bot: RunningBot, person: Person, channel: str = SUPPORT) -> Json:
    before = len(rows(bot, Answer))
    ts = await person.post(channel, "@nightschool how?")
    message = await answer_to(person, ts)
    await recorded(bot, count=before + 1)
    return message


async def told(person: Person, words: str) -> Json:
    return await person.wait_for_message(lambda shown: shown.get("is_ephemeral") and words in shown["text"])


async def calls(bot: RunningBot, person: Person, channel: str, thread_ts: str | None = None) -> list[str]:
    def sent() -> bool:
        owed = [row for row in rows(bot, OutboxMessage) if row.kind == "human_call"]
        return bool(owed) and all(row.state == OutboxState.SENT for row in owed)

    await until(sent)
    return [line["text"] for line in await person.messages(channel, thread_ts) if "human" in line["text"]]


@pytest.mark.parametrize(("on_call", "mention"), [("S0HELP00001", "<!subteam^S0HELP00001>"), (TOM, f"<@{TOM}>")])
async def test_a_human_is_called_in_the_thread_once(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running, on_call: str, mention: str
) -> None:
    choose(bot, on_call=on_call)
    message = await asked(bot, ana)
    assert (await ana.click(message, HUMAN_ACTION))["ok"]
    await told(ana, f"I am calling {mention}")
    shown = await ana.wait_for_message(lambda line: "A human was called" in str(line.get("blocks")))
    assert shown["ts"] == message["ts"]
    (ticket,) = rows(bot, Ticket)
    assert (ticket.status, ticket.escalated_to) == (TicketStatus.ESCALATED, on_call)
    await tom.click(message, HUMAN_ACTION)
    await told(tom, f"{mention} has been called already")
    said = await calls(bot, ana, SUPPORT, message["thread_ts"])
    assert said == [f"{mention}, <@{ana.user_id}> would like a human here."]
    await until(lambda: status_of(workspace, message["thread_ts"]) == "suspended")


async def test_with_a_human_called_the_bot_waits_to_be_mentioned(
    bot: RunningBot, ana: Person, tom: Person, model: ScriptedModel
) -> None:
    choose(bot, on_call=TOM)
    message = await asked(bot, ana)
    await ana.click(message, HUMAN_ACTION)
    await calls(bot, ana, SUPPORT, message["thread_ts"])
    await tom.post(SUPPORT, "Here I am.", message["thread_ts"])
    await ana.post(SUPPORT, "How nice of you?", message["thread_ts"])
    ana.forget()
    await ana.post(SUPPORT, "@nightschool and you?", message["thread_ts"])
    await answer_to(ana, message["thread_ts"])
    await recorded(bot, count=2)
    assert len(model.requests) == 2
    assert rows(bot, Ticket)[0].status == TicketStatus.ESCALATED


async def test_where_nobody_is_on_call_the_admins_are_told(bot: RunningBot, ana: Person, mei: Person) -> None:
    message = await asked(bot, ana)
    await ana.click(message, HUMAN_ACTION)
    await told(ana, f"I am calling <#{ADMINS}>")
    said = await calls(bot, ana, SUPPORT, message["thread_ts"])
    assert said == [
        f"<@{ana.user_id}> would like a human here. Nobody is on call for this channel, so I told the admins."
    ]
    (for_admins,) = await calls(bot, mei, ADMINS)
    assert "this thread" in for_admins
    assert f"<#{SUPPORT}>" in for_admins
    assert message["thread_ts"].replace(".", "") in for_admins


async def test_where_nobody_can_be_told_the_person_hears_what_to_do(
    bot_settings: Settings, sqlite_store: Store, ana: Person
) -> None:
    alone = bot_settings.model_copy(update={"admin_channel": "", "admins": []})
    async with running_bot(alone, sqlite_store) as bot:
        message = await asked(bot, ana)
        await ana.click(message, HUMAN_ACTION)
        await told(ana, "Ask a colleague directly")
        shown = await ana.wait_for_message(lambda line: line["ts"] == message["ts"] and "edited" in line)
        assert "A human was called" not in str(shown["blocks"])
        assert rows(bot, Ticket)[0].status == TicketStatus.ESCALATED
        assert rows(bot, OutboxMessage) == []
        ana.forget()
        await ana.post(SUPPORT, "Then you again?", message["thread_ts"])
        await answer_to(ana, message["thread_ts"])


async def test_a_private_question_is_not_told_to_who_is_called(bot: RunningBot, ana: Person, tom: Person) -> None:
    choose(bot, on_call=TOM)
    await ana.do("command", channel=SUPPORT, command="/ask", text="My secret illness?")
    private = await ana.wait_for_message(lambda line: HUMAN_ACTION in str(line.get("blocks")))
    await recorded(bot)
    await ana.click(private, HUMAN_ACTION)
    await ana.wait_for_message(lambda line: line["ts"] == private["ts"] and "A human was called" in str(line["blocks"]))
    (said,) = await calls(bot, tom, tom.dm)
    assert said == f"<@{ana.user_id}> asked me something in private and needs a human. Please write to them."
    assert not [line for line in await tom.messages(SUPPORT) if "secret" in str(line)]


async def test_a_direct_message_reaches_the_group_by_the_admins_channel(
    bot_settings: Settings, sqlite_store: Store, ana: Person, mei: Person
) -> None:
    async with running_bot(bot_settings.model_copy(update={"on_call": "S0HELP00001"}), sqlite_store) as bot:
        ts = await ana.post(ana.dm, "What is wrong?")
        message = await answer_to(ana, ts)
        await recorded(bot)
        await ana.click(message, HUMAN_ACTION)
        (said,) = await calls(bot, mei, ADMINS)
        assert said.startswith("<!subteam^S0HELP00001>, ")


@pytest.mark.parametrize("admin_channel", [ADMINS, ""])
async def test_a_call_that_cannot_be_made_is_heard_of_elsewhere(
    bot_settings: Settings, sqlite_store: Store, workspace: Running, ana: Person, mei: Person, admin_channel: str
) -> None:
    async with running_bot(bot_settings.model_copy(update={"admin_channel": admin_channel}), sqlite_store) as bot:
        choose(bot, on_call=TOM)
        message = await asked(bot, ana)
        workspace.workspace.faults.add("chat.postMessage", Fault(200, None, "is_archived"))
        await ana.click(message, HUMAN_ACTION)
        if admin_channel:
            await mei.wait_for_message(lambda line: "nobody could be called there" in line["text"])
        else:
            await ana.wait_for_message(lambda line: f"I could not reach <@{TOM}>" in line["text"])


async def test_a_form_that_slack_opens_no_more_is_explained(bot: RunningBot, ana: Person, workspace: Running) -> None:
    message = await asked(bot, ana)
    workspace.workspace.faults.add("views.open", Fault(200, None, "expired_trigger_id"))
    await ana.click(message, WHY_ACTION)
    await told(ana, "Please press it again")
    await ana.click(message, WHY_ACTION)
    await modal_of(ana)


async def test_a_failed_answer_has_a_way_to_a_human_too(bot: RunningBot, ana: Person, model: ScriptedModel) -> None:
    choose(bot, on_call=TOM)
    model.failures = [500, 500]
    ts = await ana.post(SUPPORT, "@nightschool are you there?")
    failed = await answer_to(ana, ts)
    await until(lambda: not len(bot.services.running))
    await ana.click(failed, HUMAN_ACTION)
    await ana.wait_for_message(lambda line: "A human was called" in str(line.get("blocks")))
    assert len(await calls(bot, ana, SUPPORT, ts)) == 1


async def test_solved_by_the_asker_and_not_after_all(bot: RunningBot, ana: Person, workspace: Running) -> None:
    message = await asked(bot, ana)
    await ana.click(message, SOLVE_ACTION)
    solved = await ana.wait_for_message(lambda line: UNSOLVE_ACTION in str(line.get("blocks")))
    assert f"Solved, says <@{ana.user_id}>" in str(solved["blocks"])
    assert HUMAN_ACTION not in str(solved["blocks"])
    (ticket,) = rows(bot, Ticket)
    assert (ticket.status, ticket.resolved_by) == (TicketStatus.RESOLVED, ana.user_id)
    await until(lambda: status_of(workspace, message["thread_ts"]) == "closed")
    ana.forget()
    await ana.click(solved, UNSOLVE_ACTION)
    reopened = await ana.wait_for_message(lambda line: SOLVE_ACTION in str(line.get("blocks")))
    assert reopened["ts"] == message["ts"]
    (ticket,) = rows(bot, Ticket)
    assert (ticket.status, ticket.resolved_by) == (TicketStatus.ANSWERED, "")


async def test_solved_is_for_the_asker_and_for_who_helped(
    bot: RunningBot, ana: Person, tom: Person, ravi: Person
) -> None:
    message = await asked(bot, ana)
    await ravi.click(message, SOLVE_ACTION)
    await told(ravi, "has to say whether this is solved")
    await tom.post(SUPPORT, "Turn it off and on.", message["thread_ts"])
    await until(lambda: any(line.role == Role.HELPER for line in rows(bot, Message)))
    await asyncio.gather(tom.click(message, SOLVE_ACTION), ana.click(message, SOLVE_ACTION))
    await until(lambda: rows(bot, Ticket)[0].resolved_by in (TOM, ana.user_id))
    late = tom if rows(bot, Ticket)[0].resolved_by == ana.user_id else ana
    await told(late, "has marked this as solved already")
    ana.forget()
    await ana.post(SUPPORT, "But it came back?", message["thread_ts"])
    await answer_to(ana, message["thread_ts"])
    await until(lambda: rows(bot, Ticket)[0].status == TicketStatus.ANSWERED)
    assert rows(bot, Ticket)[0].resolved_by == ""


async def test_a_forged_button_names_another_answer_in_vain(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running
) -> None:
    await asked(bot, ana)
    tom.forget()
    other = await asked(bot, tom, GENERAL)
    for forged, said in {"1": "belongs to another answer", "99": "does not exist any more", "x": "Home tab"}.items():
        forge(workspace, other, forged)
        for action in (SOLVE_ACTION, HUMAN_ACTION, WHY_ACTION):
            tom.forget()
            assert (await tom.click(other, action))["ok"]
            await told(tom, said)
    assert {ticket.status for ticket in rows(bot, Ticket)} == {TicketStatus.ANSWERED}


def forge(workspace: Running, message: Json, value: str) -> None:
    """Let every button of a message carry another value, as a hand-made request would."""
    stored = workspace.workspace.storage.message(message["channel"], message["ts"])
    for block in stored["blocks"]:
        for element in block.get("elements", []):
            if "action_id" in element:
                element |= {"value": value}
            if element.get("type") == "feedback_buttons":
                element["positive_button"]["value"] = value
    workspace.workspace.storage.put_message(stored)


async def test_why_this_answer_names_the_version_and_its_evidence(bot: RunningBot, ana: Person) -> None:
    message = await asked(bot, ana)
    await ana.click(message, WHY_ACTION)
    assert "The base model as it came" in str((await modal_of(ana))["blocks"])
    with bot.store.writing() as session:
        night = Night(key="2026-01-01")
        session.add(night)
        session.flush()
        evaluation = Evaluation(
            night_id=night.id, candidate="v7", champion="base", verdict=GateVerdict.PROMOTE, summary="v7 wins 9 of 12."
        )
        session.add(evaluation)
        session.add(Adapter(version=7, name="v7", path="/x", sha256="0", base_model="m", base_sha256="0", rank=4))
        session.flush()
        session.add(
            Promotion(
                kind=PromotionKind.PROMOTE, adapter="v7", previous="base", person_id=MEI, evaluation_id=evaluation.id
            )
        )
        session.add(Alias(name="production", adapter="v7", generation=1))
    ana.forget()
    again = await asked(bot, ana)
    with bot.store.writing() as session:
        answer = session.get_one(Answer, 2)
        answer.passages = [
            {"title": "VPN <b>", "url": "https://wiki.example/vpn"},
            {"title": "bad", "url": "javascript:alert(1)"},
        ]
    await ana.click(again, WHY_ACTION)
    why = str((await modal_of(ana))["blocks"])
    for words in ("Version v7", f"<@{MEI}>", "v7 wins 9 of 12.", "61 %", "<https://wiki.example/vpn|VPN &lt;b&gt;>"):
        assert words in why
    assert "javascript" not in why


async def test_why_this_answer_says_who_wrote_an_approved_one(bot: RunningBot, ana: Person) -> None:
    message = await asked(bot, ana)
    with bot.store.writing() as session:
        review = Review(answer_id=1, reviewer_id=RAVI, verdict=Verdict.CORRECTED, correction="So.")
        session.add(review)
        session.flush()
        session.get_one(Answer, 1).approved_by = review.id
    await ana.click(message, WHY_ACTION)
    assert f"<@{RAVI}> gave this answer" in str((await modal_of(ana))["blocks"])
