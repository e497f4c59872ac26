"""The reviewers' part of the Home tab: the queue with its filters, what can be undone, how far reviewers agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConversationMultiSelectElement,
    MarkdownTextObject,
    SectionBlock,
    StaticSelectElement,
)

from bot.blocks.card import slack_date
from bot.blocks.content import context, header, options, percent, section
from bot.blocks.review import UNSKIP_ACTION, undo_button
from bot.safe_text import plain_label
from store.agreement import Agreement
from store.review_queue import Decided, QueueItem
from store.review_signs import MOST, Counts
from store.review_undo import Undoable
from store.tables import ReviewDesk
from store.words import QueueFilter, Verdict

REVIEW_ACTION = "review_answer"
START_REVIEWING_ACTION = "start_reviewing"
FILTER_ACTION = "queue_filter"
CHANNELS_ACTION = "queue_channels"
MORE_ACTION = "queue_more"
BACK_ACTION = "queue_back"
TAG_PREFIX = "tag:"

FILTER_LABELS = {
    QueueFilter.ALL: "All",
    QueueFilter.VOTED_DOWN: "Voted down",
    QueueFilter.ESCALATED: "Escalated",
    QueueFilter.UNSURE: "Unsure",
    QueueFilter.PROPOSED: "With a proposed reply",
    QueueFilter.SECOND_OPINION: "Second opinion needed",
    QueueFilter.CONTRADICTED: "Contradicting another answer",
}
MOST_CONTRADICTED = 2
DECIDED = {Verdict.ACCEPTED: "accepted", Verdict.CORRECTED: "corrected", Verdict.REJECTED: "rejected"}


@dataclass(frozen=True)
class ReviewQueue:
    """What reviewers see: the counts, one page of the answers that wait, or the decisions with the chosen tag."""

    counts: Counts
    items: Sequence[QueueItem]
    desk: ReviewDesk
    more: bool = False
    undoable: Sequence[Undoable] = ()
    agreement: Agreement | None = None
    tags: Sequence[str] = ()
    decided: Sequence[Decided] = ()


def queue_blocks(queue: ReviewQueue) -> list[Block]:
    """The answers that wait for a decision, the ones that teach most first."""
    blocks: list[Block] = [header("Answers to review"), context(_counted(queue.counts))]
    if queue.agreement is not None:
        blocks.append(context(_agreement(queue.agreement)))
    blocks += [*_choices(queue), *[_undo(made) for made in queue.undoable]]
    blocks += [_decision(made) for made in queue.decided] if queue.desk.tag else _items(queue)
    return [*blocks, *_pages(queue)]


def _counted(counts: Counts) -> str:
    signs = [
        f"{_up_to_most(counts.showing(sign))} {label.lower()}"
        for sign, label in FILTER_LABELS.items()
        if counts.showing(sign)
    ]
    shown = f" ({', '.join(signs)})" if signs else ""
    return (
        f"{counts.waiting:,} waiting{shown} · decided so far: {counts.accepted:,} accepted, "
        f"{counts.corrected:,} corrected, {counts.rejected:,} rejected"
    )


def _up_to_most(count: int) -> str:
    return f"{count:,}" if count < MOST else f"{MOST:,} or more"


def _agreement(found: Agreement) -> str:
    judged = f"{found.answers} answers judged by two: {percent(found.same)} the same verdict"
    if found.kappa is None:
        return f"🤝 {judged}"
    return f"🤝 {judged}, {found.method}'s κ {found.kappa:.2f} (agreement {found.band})"


def _choices(queue: ReviewQueue) -> list[Block]:
    desk, counts = queue.desk, queue.counts
    labels = {sign.value: label for sign, label in FILTER_LABELS.items()}
    labels |= {f"{TAG_PREFIX}{tag}": f"🏷 {tag}"[:75] for tag in queue.tags}
    choices = options(dict(list(labels.items())[:100]))
    chosen = f"{TAG_PREFIX}{desk.tag}" if desk.tag else desk.filter.value
    current = next((option for option in choices if option.value == chosen), choices[0])
    elements: list[StaticSelectElement | ButtonElement] = [
        StaticSelectElement(action_id=FILTER_ACTION, placeholder="Show", options=choices, initial_option=current)
    ]
    if queue.items:
        start = ButtonElement(text="Start reviewing", action_id=START_REVIEWING_ACTION, value="first", style="primary")
        elements.insert(0, start)
    if counts.skipped:
        text = f"Look again at {counts.skipped} skipped"
        elements.append(ButtonElement(text=text, action_id=UNSKIP_ACTION, value="all"))
    # Ids that stay, so that a click on a tab that is being repainted still finds its button.
    return [ActionsBlock(elements=elements, block_id="queue"), _channels(desk)]


def _channels(desk: ReviewDesk) -> Block:
    select = ConversationMultiSelectElement(
        action_id=CHANNELS_ACTION, placeholder="All channels", initial_conversations=list(desk.channels) or None
    )
    return SectionBlock(
        text=MarkdownTextObject(text="Only from these channels:"), accessory=select, block_id="queue-channels"
    )


def _undo(made: Undoable) -> Block:
    others = f" and {made.answers - 1} like it" if made.answers > 1 else ""
    question = plain_label(made.question, 120)
    return section(
        f"✅ You {DECIDED[made.verdict]} *{question}*{others}.", undo_button(made.batch), f"undo-{made.batch}"
    )


def _decision(made: Decided) -> Block:
    review = made.review
    said = f"{DECIDED[review.verdict]} by <@{review.reviewer_id}>, {slack_date(review.created_at)}"
    right = f"\n{plain_label(review.correction, 200)}" if review.correction else ""
    return section(f"*{plain_label(made.question, 200)}*\n{said}{right}")


def _items(queue: ReviewQueue) -> list[Block]:
    desk = queue.desk
    if not queue.items and (desk.filter != QueueFilter.ALL or desk.channels or desk.page):
        return [section("Nothing that waits fits this choice.")]
    if not queue.items:
        return [section("🎉 Nothing waits for a decision. New answers appear here.")]
    blocks: list[Block] = []
    for item in queue.items:
        button = ButtonElement(text="Review", action_id=REVIEW_ACTION, value=str(item.answer.id))
        answer = plain_label(item.answer.text, 200) or "_no answer_"
        shown = f"*{plain_label(item.ticket.question, 200)}*\n{answer}"
        blocks.append(section(shown, button, f"review-{item.answer.id}"))
        blocks.append(context(_signs(item)))
    return blocks


def _signs(item: QueueItem) -> str:
    facts = item.facts
    signs = {
        f"⏳ <@{item.holder}> is busy with it": bool(item.holder),
        "⚠️ failed": facts.failed,
        "🙋 escalated": facts.escalated,
        "👥 second opinion": facts.again,
        _contradicts(item): bool(item.contradicts),
        f"👎 {facts.down}": bool(facts.down),
        f"👍 {facts.up}": bool(facts.up),
        "💬 a reply is proposed": bool(facts.proposals),
        f"🔁 {facts.alike} more like it": bool(facts.alike),
    }
    shown = [sign for sign, holds in signs.items() if holds]
    return " · ".join([*shown, item.answer.adapter, slack_date(item.answer.created_at)])


def _contradicts(item: QueueItem) -> str:
    tickets = [f"{other.ticket.id} (“{plain_label(other.ticket.question, 60)}”)" for other in item.contradicts]
    more = f" and {len(tickets) - MOST_CONTRADICTED} more" if len(tickets) > MOST_CONTRADICTED else ""
    return f"⚡ contradicts the answer to ticket {', '.join(tickets[:MOST_CONTRADICTED])}{more}"


def _pages(queue: ReviewQueue) -> list[Block]:
    page, buttons = queue.desk.page, []
    if page:
        buttons.append(ButtonElement(text="Back", action_id=BACK_ACTION, value=str(page - 1)))
    if queue.more:
        buttons.append(ButtonElement(text="More", action_id=MORE_ACTION, value=str(page + 1)))
    return [ActionsBlock(elements=buttons, block_id="queue-pages")] if buttons else []
