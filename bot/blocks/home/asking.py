"""The part of the Home tab that everyone sees: how to ask, and what became of one's own questions."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot.blocks.content import context, header, section
from bot.questions import HOW_TO_ASK
from bot.safe_text import plain_label
from store.tables import Ticket
from store.words import TicketStatus

STATUS_LABELS = {
    TicketStatus.OPEN: "⏳ open",
    TicketStatus.ANSWERED: "💬 answered",
    TicketStatus.RESOLVED: "✅ checked by a colleague",
    TicketStatus.ESCALATED: "🙋 with a colleague",
    TicketStatus.WITHDRAWN: "🗑 withdrawn",
}


def asking_blocks(own: Sequence[Ticket]) -> list[Block]:
    """How to ask, and the person's own last questions."""
    blocks: list[Block] = [header("Ask me"), section(HOW_TO_ASK)]
    if own:
        lines = [f"{_status(ticket)} · {plain_label(ticket.question, 120)}" for ticket in own]
        blocks.append(section("*Your last questions*\n" + "\n".join(lines)))
    blocks.append(context("Answers can be wrong: check what matters. 👍 and 👎 under an answer teach me overnight."))
    return blocks


def _status(ticket: Ticket) -> str:
    return "✅ solved" if ticket.resolved_by else STATUS_LABELS[ticket.status]
