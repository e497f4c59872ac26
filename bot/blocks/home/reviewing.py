"""The reviewers' part of the Home tab: the queue."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block, ButtonElement

from bot.blocks.card import slack_date
from bot.blocks.content import context, header, section
from bot.safe_text import plain_label
from store.reviews import Counts, QueueItem
from store.words import DeliveryState

REVIEW_ACTION = "review_answer"


@dataclass(frozen=True)
class ReviewQueue:
    """What reviewers see: the counts, and the first answers that wait."""

    counts: Counts
    items: Sequence[QueueItem]


def queue_blocks(queue: ReviewQueue) -> list[Block]:
    """The answers that wait for a decision, the ones that teach most first."""
    counts = queue.counts
    blocks: list[Block] = [
        header("Answers to review"),
        context(
            f"{counts.waiting} waiting ({counts.voted_down} voted down) · decided so far: {counts.accepted} accepted, "
            f"{counts.corrected} corrected, {counts.rejected} rejected"
        ),
    ]
    if not queue.items:
        return [*blocks, section("🎉 Nothing waits for a decision. New answers appear here.")]
    for item in queue.items:
        button = ButtonElement(text="Review", action_id=REVIEW_ACTION, value=str(item.answer.id))
        answer = plain_label(item.answer.text, 200) or "_no answer_"
        blocks.append(section(f"*{plain_label(item.ticket.question, 200)}*\n{answer}", button))
        blocks.append(context(_signs(item)))
    if counts.waiting > len(queue.items):
        blocks.append(context(f"{counts.waiting - len(queue.items)} more wait behind these."))
    return blocks


def _signs(item: QueueItem) -> str:
    signs = []
    if item.answer.state == DeliveryState.FAILED:
        signs.append("⚠️ failed")
    if item.down:
        signs.append(f"👎 {item.down}")
    if item.up:
        signs.append(f"👍 {item.up}")
    return " · ".join([*signs, item.answer.adapter, slack_date(item.answer.created_at)])
