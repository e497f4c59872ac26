"""Ten thousand hostile or odd texts through everything that shows or stores a text."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bot.blocks.answer import Closing, Source, answer_text, closed_answer, correction
from bot.blocks.content import Content
from bot.blocks.fix import Fixed, fix_notice
from bot.blocks.gap import Shown, gap_message
from bot.blocks.review import Case, Progress, review_modal
from bot.blocks.why import Explanation, why_modal
from bot.metadata import ReviewFlow, Start
from bot.safe_text import short_markdown
from bot.sharing import question_of
from bot.splitting import safe_pieces
from deploy.workspace.server import Running
from store.tables import Answer, KnowledgeGap, Message, Proposal, Ticket, Vote, now
from store.words import DeliveryState, Role, Surface, Visibility, VoteReason, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.effects import quiet
from tests.bot.hostile import corpus, texts
from tests.bot.model_server import ScriptedModel
from tests.bot.oracle import ALLOWED_HOST, OWN_ID, problems_of_message, problems_of_view
from tests.bot.test_asking import rows
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]
COUNT, BATCH = 10_000, 8


def of_content(content: Content) -> list[str]:
    return problems_of_message([block.to_dict() for block in content.blocks or []], content.text)


def model_answer(text: str) -> list[str]:
    *parts, last = safe_pieces(text, [ALLOWED_HOST])
    closing = Closing(
        1, DeliveryState.DELIVERED, unsure=True, redone=True, sources=[Source(text, f"https://{ALLOWED_HOST}/a")] * 9
    )
    shown = [*(answer_text(part) for part in parts if part.strip()), closed_answer(last, closing)]
    return [problem for content in shown for problem in of_content(content)]


def shared_question(text: str) -> list[str]:
    ticket = Ticket(
        team_id="T", channel_id="C0SUPPORT01", thread_ts="1.1", asker_id=OWN_ID, surface=Surface.COMMAND,
        visibility=Visibility.DIRECT, question=text,
    )  # fmt: skip
    return of_content(question_of(ticket))


def explanation(text: str) -> list[str]:
    source = Source(text, f"https://{ALLOWED_HOST}/a")
    why = Explanation("v1", now(), OWN_ID, now(), evidence=text, confidence=0.5, sources=[source] * 30)
    return problems_of_view(why_modal(why).to_dict())


def error_of_the_model(text: str) -> list[str]:
    return of_content(closed_answer("", Closing(1, DeliveryState.FAILED, text)))


def reviewers_answer(text: str) -> list[str]:
    return of_content(correction(OWN_ID, text[:3000]))


def _rows(number: int) -> tuple[Ticket, Answer, Message, Vote, Proposal]:
    ticket = Ticket(
        id=number, team_id="T", channel_id="C0SUPPORT01", thread_ts=f"{number}.1", asker_id=OWN_ID,
        surface=Surface.MENTION, visibility=Visibility.PUBLIC, question="",
    )  # fmt: skip
    answer = Answer(
        id=number, ticket_id=number, event_id=f"k{number}", question_ts="1.1", state=DeliveryState.DELIVERED
    )
    said = Message(ticket_id=number, ts=f"{number}.1", person_id=OWN_ID, role=Role.ASKER, text="")
    vote = Vote(answer_id=number, person_id=OWN_ID, value=VoteValue.DOWN, reason=VoteReason.WRONG)
    return ticket, answer, said, vote, Proposal(id=number, answer_id=1, person_id=OWN_ID, ts=f"{number}.2", text="")


# Rows are slow to make, so all texts go into the same ones.
ROWS = [_rows(number) for number in range(1, BATCH + 1)]


def review_of(batch: tuple[str, ...]) -> list[str]:
    """One modal for several texts: in the transcript, the votes, the replies and the questions that are alike."""
    rows_ = ROWS[: len(batch)]
    for text, (ticket, answer, said, vote, reply) in zip(batch, rows_, strict=True):
        ticket.question = answer.text = said.text = reply.text = text
        vote.comment = vote.suggestion = text[:3000]
    tickets, answers, lines, votes, replies = zip(*rows_, strict=True)
    alike = list(zip(answers, tickets, strict=True))[1:5]
    case = Case(answers[0], tickets[0], lines, votes, replies[:3], alike, tags=["billing"])
    return problems_of_view(review_modal(case, Progress(ReviewFlow(1, start=Start("reply", 1)), 1)).to_dict())


def fix_of(text: str) -> list[str]:
    return of_content(fix_notice(Fixed("v1", text, short_markdown(text, [ALLOWED_HOST]), approved=False, link="")))


def gap_of(text: str) -> list[str]:
    gap = KnowledgeGap(id=1, question=text)
    return of_content(gap_message(Shown(gap, text, 2, {OWN_ID: text[:3000]})))


def each(check: Callable[[str], list[str]]) -> Callable[[tuple[str, ...]], list[str]]:
    return lambda batch: [problem for text in batch for problem in check(text)]


FIELDS: dict[str, Callable[[tuple[str, ...]], list[str]]] = {
    "an answer of the model": each(model_answer),
    "a shared question": each(shared_question),
    "why an answer reads so": each(explanation),
    "an error of the model": each(error_of_the_model),
    "a reviewer's right answer": each(reviewers_answer),
    "the review modal": review_of,
    "a notice about a fix": each(fix_of),
    "a gap of the documents": each(gap_of),
}


@pytest.mark.parametrize("field", FIELDS)
def test_ten_thousand_texts_neither_ping_nor_hide_a_link_nor_break_a_block(field: str) -> None:
    check, all_texts = FIELDS[field], iter(texts(COUNT))
    bad = []
    while batch := tuple(itertools.islice(all_texts, BATCH)):
        if problems := check(batch):
            bad.append(([text[:120] for text in batch], problems[:3]))
    assert bad == []


def test_the_oracle_sees_what_it_should() -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> <https://evil.example|docs>"}}
    assert len(problems_of_message([section])) >= 2
    assert problems_of_message([{"type": "markdown", "text": "[docs](https://evil.example)"}])
    assert problems_of_message([{"type": "markdown", "text": "[docs](https://docs.corp/a)"}]) == []
    assert problems_of_message([{"type": "markdown", "text": "x" * 12_001}])
    assert problems_of_message([], "<@U0TOM000001>")


SOME = [text for text in corpus() if text.strip()]


def stored_messages(workspace: Running) -> list[Json]:
    found = workspace.workspace.storage._db.execute("SELECT body FROM message").fetchall()
    return [json.loads(body) for (body,) in found]


async def test_whatever_is_asked_and_answered_is_stored_and_shown_safely(
    bot: RunningBot, workspace: Running, ana: Person, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model.reply = lambda body: str(body["messages"][-1]["content"])
    caplog.set_level(logging.WARNING)
    for start in range(0, len(SOME), 20):
        batch = SOME[start : start + 20]
        await asyncio.gather(*(ana.post(SUPPORT, f"@nightschool {text}") for text in batch))
        await quiet(bot, 30)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    stored = {ticket.question for ticket in rows(bot, Ticket)}
    assert len(stored) > len(SOME) * 0.7
    said = [message for message in stored_messages(workspace) if message.get("bot_id")]
    assert len(said) >= len(SOME)
    assert [problems for line in said if (problems := problems_of_message(line.get("blocks", []), line["text"]))] == []
