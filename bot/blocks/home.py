"""The Home tab: how to ask for everyone, the queue for reviewers, versions and nights for admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    DividerBlock,
    PlainTextObject,
)
from slack_sdk.models.views import View

from bot.blocks.card import promote_button, slack_date
from bot.blocks.content import context, header, section
from bot.questions import HOW_TO_ASK
from bot.safe_text import plain_label
from store.reviews import Counts, QueueItem
from store.tables import BASE, Ticket
from store.words import AdapterState, DeliveryState, TicketStatus

REVIEW_ACTION = "review_answer"
ROLL_BACK_ACTION = "roll_back"
RUN_NIGHT_ACTION = "run_night"

STATUS_LABELS = {
    TicketStatus.OPEN: "⏳ open",
    TicketStatus.ANSWERED: "💬 answered",
    TicketStatus.RESOLVED: "✅ checked by a colleague",
    TicketStatus.ESCALATED: "🙋 with a colleague",
    TicketStatus.WITHDRAWN: "🗑 withdrawn",
}


@dataclass(frozen=True)
class ReviewQueue:
    """What reviewers see: the counts, and the first answers that wait."""

    counts: Counts
    items: Sequence[QueueItem]


@dataclass(frozen=True)
class Version:
    """One adapter as an admin sees it."""

    name: str
    state: AdapterState
    created_at: datetime
    verdict: str = ""
    note: str = ""


@dataclass(frozen=True)
class Operations:
    """What admins see: versions, what answers now, what can be gone back to, how the last night went."""

    production: str
    versions: Sequence[Version]
    earlier: str = ""
    moves: Sequence[str] = ()
    night: Sequence[str] = ()
    night_open: bool = False


@dataclass(frozen=True)
class Home:
    """The Home tab of one person; the parts that their role does not show are None."""

    own_tickets: Sequence[Ticket]
    queue: ReviewQueue | None = None
    operations: Operations | None = None


def home_view(home: Home, busy: str = "", trouble: str = "") -> View:
    """The view; `busy` says what is being done, `trouble` what went wrong with it."""
    blocks: list[Block] = []
    if trouble:
        blocks.append(section(f":warning: {plain_label(trouble, 2000)}"))
    if busy:
        blocks.append(section(f"⏳ {busy}"))
    if home.operations is not None:
        blocks += [*_operations(home.operations, locked=bool(busy)), DividerBlock()]
    if home.queue is not None:
        blocks += [*_queue(home.queue), DividerBlock()]
    return View(type="home", blocks=[*blocks, *_asking(home.own_tickets)])


def _asking(own: Sequence[Ticket]) -> list[Block]:
    blocks: list[Block] = [header("Ask me"), section(HOW_TO_ASK)]
    if own:
        lines = [f"{STATUS_LABELS[ticket.status]} · {plain_label(ticket.question, 120)}" for ticket in own]
        blocks.append(section("*Your last questions*\n" + "\n".join(lines)))
    blocks.append(context("Answers can be wrong: check what matters. 👍 and 👎 under an answer teach me overnight."))
    return blocks


def _queue(queue: ReviewQueue) -> list[Block]:
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


def _operations(operations: Operations, *, locked: bool) -> list[Block]:
    now = "the base model" if operations.production == BASE else operations.production
    blocks: list[Block] = [header("Versions"), section(f"Production answers with *{now}*.")]
    blocks += [_version(version, operations, locked=locked) for version in operations.versions]
    if not operations.versions:
        blocks.append(section("No version has been trained yet. Review some answers, then let a night run."))
    blocks += [context(line) for line in operations.moves]
    blocks += [header("Nights"), *[section(line) for line in operations.night]]
    if not operations.night:
        blocks.append(section("No night has run yet."))
    return [*blocks, *([] if locked else _buttons(operations))]


def _version(version: Version, operations: Operations, *, locked: bool) -> Block:
    marks = [version.state.value, slack_date(version.created_at)]
    if version.verdict:
        marks.append(f"verdict: {version.verdict}")
    if version.name == operations.production:
        marks.insert(0, "🟢 in production")
    note = f"\n{plain_label(version.note, 200)}" if version.note else ""
    promotable = version.name != operations.production and version.state != AdapterState.REJECTED and not locked
    return section(
        f"*{version.name}* · {' · '.join(marks)}{note}", promote_button(version.name) if promotable else None
    )


def _buttons(operations: Operations) -> list[Block]:
    buttons = []
    if operations.earlier:
        target = "the base model" if operations.earlier == BASE else operations.earlier
        buttons.append(
            ButtonElement(
                text=f"Roll back to {target}",
                action_id=ROLL_BACK_ACTION,
                # What is rolled back from, so that a second click cannot go one further.
                value=operations.production,
                style="danger",
                confirm=ConfirmObject(
                    title=PlainTextObject(text="Roll back?"),
                    text=PlainTextObject(text=f"From then on {target} answers every new question."),
                    confirm=PlainTextObject(text="Roll back"),
                    deny=PlainTextObject(text="Not now"),
                ),
            )
        )
    if not operations.night_open:
        buttons.append(ButtonElement(text="Run a night now", action_id=RUN_NIGHT_ACTION, value="now"))
    return [ActionsBlock(elements=buttons)] if buttons else []
