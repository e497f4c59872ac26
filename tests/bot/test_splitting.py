"""Long answers over several messages: nothing is lost, no piece is refused, code and tables stay whole."""

import random
import re
from typing import Any

import pytest

from bot.blocks.answer import SOLVE_ACTION
from bot.blocks.feedback import VOTE_ACTION
from bot.splitting import PIECE_CHARACTERS, pieces, safe_pieces, width
from deploy.workspace.block_kit import check
from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Ticket, Vote
from store.words import DeliveryState, TicketStatus
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.model_server import ScriptedModel
from tests.bot.oracle import problems_of_message
from tests.bot.test_asking import answer_to, is_closed, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]
PARAGRAPHS = "\n\n".join(f"Paragraph {number}. " + "It goes on and on. " * 30 for number in range(60))
CODE = "Run this:\n\n```python\n" + "\n".join(f"print({number} * 'a')" for number in range(1200)) + "\n```\nDone."
TABLE = "The list:\n\n| name | room |\n|---|---|\n" + "".join(f"| person {n} | {n} |\n" for n in range(900))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("text", [PARAGRAPHS, "x" * 30_000, '"\\' * 15_000, "one word " * 4_000, "\n" * 20_000])
def test_pieces_fit_and_lose_nothing(text: str) -> None:
    found = pieces(text)
    assert all(width(piece) <= PIECE_CHARACTERS for piece in found)
    assert "".join("".join(piece.split()) for piece in found) == "".join(text.split())


def test_paragraphs_are_kept_whole() -> None:
    assert all(piece.startswith("Paragraph") and piece.endswith("on.") for piece in pieces(PARAGRAPHS.strip()))


def test_code_that_is_cut_is_closed_and_opened_again() -> None:
    found = pieces(CODE)
    assert len(found) > 1
    assert all(piece.count("```") == 2 for piece in found)
    assert all(piece.startswith("```python\n") for piece in found[1:])
    assert [word for piece in found for word in words(piece) if word != "python"] == words(CODE.replace("python", ""))


def test_a_table_that_is_cut_gets_its_head_again() -> None:
    found = pieces(TABLE)
    assert len(found) > 1
    assert all(piece.startswith("| name | room |\n|---|---|\n| person ") for piece in found[1:])


@pytest.mark.parametrize("fence", ["```", "~~~", "````", "`"])
def test_a_cut_within_code_leaves_no_link_alive(fence: str) -> None:
    code = "echo [reset](https://evil.example/reset) now\n" * 900
    found = safe_pieces(f"{fence}\n{code}{fence}\n")
    assert len(found) > 3
    assert [problem for piece in found for problem in problems_of_message([{"type": "markdown", "text": piece}])] == []


@pytest.mark.parametrize("seed", range(20))
def test_what_is_posted_does_not_change_while_the_text_grows(seed: int) -> None:
    draw = random.Random(seed)
    text = "".join(draw.choices([PARAGRAPHS[:3000], CODE[:5000], TABLE[:4000], "word " * 300, "```\n", "\n\n"], k=14))
    whole = pieces(text, 4000)
    for end in range(0, len(text), 397):
        grown = pieces(text[:end], 4000)
        assert grown[:-1] == whole[: len(grown) - 1]


def answers_in(thread: list[Json]) -> list[Json]:
    return [line for line in thread if line.get("bot_id")]


def shown(message: Json) -> str:
    return "".join(block["text"] for block in message["blocks"] if block["type"] == "markdown")


@pytest.mark.parametrize("text", [PARAGRAPHS, CODE, TABLE])
async def test_a_long_answer_takes_several_messages_with_the_buttons_below_the_last(
    bot: RunningBot, ana: Person, model: ScriptedModel, text: str
) -> None:
    model.reply = lambda _: text
    ts = await ana.post(SUPPORT, "@nightschool tell me everything")
    last = await answer_to(ana, ts)
    (answer,) = await recorded(bot)
    found = answers_in(await ana.messages(SUPPORT, ts))
    assert [shown(message) for message in found] == safe_pieces(text.strip())
    assert [message["ts"] for message in found] == [*answer.earlier_ts, answer.message_ts]
    assert [is_closed(message) for message in found] == [False] * (len(found) - 1) + [True]
    await ana.click(last, VOTE_ACTION, f"up:{answer.id}")
    await ana.click(last, SOLVE_ACTION)
    await until(lambda: rows(bot, Ticket)[0].status == TicketStatus.RESOLVED and rows(bot, Vote))
    solved = await ana.wait_for_message(lambda message: "Not solved after all" in str(message.get("blocks")))
    assert shown(solved) == safe_pieces(text.strip())[-1]
    await ana.do("delete", channel=SUPPORT, ts=ts)
    await recorded(bot, DeliveryState.WITHDRAWN)
    await until(lambda: not len(bot.services.running))


async def test_a_long_answer_cut_off_by_a_restart_goes_on_in_its_messages(
    bot_settings: Settings, sqlite_store: Store, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: "x" * 20_000 + " end"
    model.gate.clear()
    async with running_bot(bot_settings, sqlite_store) as bot:
        ts = await ana.post(SUPPORT, "@nightschool at length?")
        await until(lambda: [len(answer.earlier_ts) for answer in rows(bot, Answer)] == [2])
        begun = answers_in(await ana.messages(SUPPORT, ts))
        assert [len(shown(message)) for message in begun] == [len(piece) for piece in pieces("x" * 20_000)]
    model.gate.set()
    async with running_bot(bot_settings, sqlite_store) as bot:
        await answer_to(ana, ts)
        await recorded(bot)
        found = answers_in(await ana.messages(SUPPORT, ts))
        assert [message["ts"] for message in found] == [message["ts"] for message in begun]
        assert [shown(message) for message in found] == pieces("x" * 20_000 + " end")


HOSTILE = "<!channel> <!here> <@U0TOM000001> <!subteam^S1> [Reset](https://evil.example/x) https://evil.example/y\n\n"


async def test_no_piece_of_a_long_hostile_answer_pings_or_hides_a_link(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: HOSTILE * 300
    ts = await ana.post(SUPPORT, "@nightschool say something mean")
    await answer_to(ana, ts)
    await recorded(bot)
    found = answers_in(await ana.messages(SUPPORT, ts))
    assert len(found) > 3
    for message in found:
        assert "<" not in message["text"] + shown(message)
        assert "](" not in message["text"] + shown(message)
        assert shown(message).count("evil.example") == shown(message).count("`https://evil.example")


async def test_an_answer_given_anew_that_is_shorter_leaves_no_message_behind(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: PARAGRAPHS
    ts = await ana.post(SUPPORT, "@nightschool at length?")
    await answer_to(ana, ts)
    await recorded(bot)
    assert len(answers_in(await ana.messages(SUPPORT, ts))) > 2
    model.reply = lambda _: "In short."
    ana.forget()
    await ana.do("edit", channel=SUPPORT, ts=ts, text="@nightschool in short?")
    await until(lambda: [row.state for row in rows(bot, Answer)][1:] == [DeliveryState.DELIVERED])
    (left,) = answers_in(await ana.messages(SUPPORT, ts))
    assert shown(left) == "In short."
    assert rows(bot, Answer)[-1].earlier_ts == []


@pytest.mark.parametrize("refused", ["invalid_blocks", "msg_blocks_too_long"])
async def test_blocks_that_slack_refuses_become_plain_text(
    bot: RunningBot, ana: Person, model: ScriptedModel, workspace: Running, refused: str, monkeypatch: Any
) -> None:
    text = "It is long. " * 500
    model.reply = lambda _: text
    workspace.workspace.faults.add("chat.startStream", Fault(200, None, "unknown_method"))
    if refused == "invalid_blocks":
        monkeypatch.delitem(check.BLOCKS, "markdown")
    else:
        monkeypatch.setattr(check, "MARKDOWN_CHARACTERS", 3000)
    ts = await ana.post(SUPPORT, "@nightschool plainly?")
    last = await answer_to(ana, ts)
    (answer,) = await recorded(bot)
    found = answers_in(await ana.messages(SUPPORT, ts))
    assert " ".join(message["text"].replace("…", "") for message in found).split() == text.split()
    assert found[-1]["ts"] == last["ts"] == answer.message_ts
    await ana.click(last, SOLVE_ACTION)
    solved = await ana.wait_for_message(lambda message: "Not solved after all" in str(message.get("blocks")))
    assert not shown(solved)


async def test_a_private_answer_that_is_too_long_says_where_to_read_it(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: PARAGRAPHS * 2
    await ana.do("command", channel=SUPPORT, command="/ask", text="Everything?")
    last = await ana.wait_for_message(is_closed)
    assert "longer than Slack lets me show in private" in str(last["blocks"])
    await recorded(bot)
