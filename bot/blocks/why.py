"""“Why this answer?”: which version gave it, what spoke for that version, and what it was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from bot.blocks.answer import Source
from bot.blocks.card import slack_date
from bot.blocks.content import context, percent, section
from bot.safe_text import plain_label


@dataclass(frozen=True)
class Explanation:
    """Why an answer reads as it does. `version` is empty for the base model, `approved_by` for a generated answer."""

    version: str
    given_at: datetime
    promoted_by: str = ""
    promoted_at: datetime | None = None
    evidence: str = ""
    approved_by: str = ""
    confidence: float | None = None
    sources: Sequence[Source] = ()


def why_modal(why: Explanation) -> View:
    """The modal; there is nothing to fill in."""
    blocks: list[Block] = [section(_origin(why)), section(_documents(why))]
    if why.confidence is not None:
        blocks.append(section(f"*How sure it was*\n{percent(why.confidence)} a word, by its own measure."))
    return View(
        type="modal",
        title=PlainTextObject(text="Why this answer?"),
        close=PlainTextObject(text="Close"),
        blocks=[*blocks, context(f"Answered {slack_date(why.given_at)}. A version can be sure and still be wrong.")],
    )


def _origin(why: Explanation) -> str:
    if why.approved_by:
        return f"*A colleague wrote it*\n<@{why.approved_by}> gave this answer to a question like this one."
    if not why.version:
        return "*Who answered*\nThe base model as it came: no version that learnt here answers in production yet."
    lines = [f"*Who answered*\nVersion {why.version}"]
    if why.promoted_by and why.promoted_at:
        lines[0] += f", promoted by <@{why.promoted_by}> {slack_date(why.promoted_at)}"
    if why.evidence:
        lines.append(f"*What spoke for it*\n{plain_label(why.evidence, 1500)}")
    return "\n\n".join(lines)


def _documents(why: Explanation) -> str:
    if not why.sources:
        return "*What it was told*\nThe conversation so far, and no documents."
    links = [f"• {source.link}" for source in why.sources[:20]]
    return "*What it was told*\nThe conversation so far, and these passages:\n" + "\n".join(links)
