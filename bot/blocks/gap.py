"""A gap of the documents, for the person or channel that is to write it down."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.blocks.content import Content, context, header, section
from bot.safe_text import plain_label, quoted
from store.tables import KnowledgeGap
from store.words import GapState

WRITTEN_ACTION = "gap_written"
REOPEN_ACTION = "gap_reopen"
IN_PRIVATE = "_Asked in private, so the words are not shown here._"


@dataclass(frozen=True)
class Shown:
    """What is shown of a gap: its row, how often it was asked, the answers by reviewer, links to the threads.

    `question` is empty where it was asked in private only.
    """

    gap: KnowledgeGap
    question: str
    asked: int
    right_answers: dict[str, str]
    links: Sequence[str] = ()


def gap_message(shown: Shown) -> Content:
    """The message of a gap, the same one from its first question to the day it is written down."""
    closed = shown.gap.state == GapState.CLOSED
    title = "📚 Written down" if closed else "📚 Missing in the documents"
    times = "once" if shown.asked == 1 else f"{shown.asked} times"
    question = (
        quoted(shown.question, 1500) if shown.question else "_Asked in private, so the words are not shown here._"
    )
    blocks: list[Block] = [header(title), section(f"Asked {times}:\n{question}")]
    blocks += [
        section(f"<@{reviewer}> answered:\n{quoted(answer, 1000)}")
        for reviewer, answer in list(shown.right_answers.items())[-2:]
    ]
    if shown.links:
        blocks.append(
            context("Threads: " + " · ".join(f"<{link}|{at}>" for at, link in enumerate(shown.links, start=1)))
        )
    text = f"{title}: {plain_label(shown.question, 300) or 'a question asked in private'} (asked {times})"
    return Content(text, [*blocks, *_decision(shown.gap)])


def _decision(gap: KnowledgeGap) -> list[Block]:
    value = str(gap.id)
    if gap.state == GapState.OPEN:
        button = ButtonElement(text="Written down", action_id=WRITTEN_ACTION, value=value, style="primary")
        return [ActionsBlock(elements=[button])]
    if not gap.closed_by:
        return [context("The reviewers found that nothing was missing after all.")]
    undo = ButtonElement(text="Undo", action_id=REOPEN_ACTION, value=value)
    return [section(f"✅ <@{gap.closed_by}> has written it down.", undo)]
