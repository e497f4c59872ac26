"""What may be learnt, or leave the store for learning: one rule for the nightly curation and for the export."""

from collections.abc import Collection
from enum import StrEnum

from store.datasets import ReviewedAnswer
from store.settings import NightSettings
from store.tables import Answer, Ticket, now
from store.words import DeliveryState, TicketStatus, Verdict, Visibility


class Objection(StrEnum):
    """Why a reviewed answer may not be learnt; the words are shown to admins."""

    CONTESTED = "judged differently by two reviewers"
    REJECTED = "rejected by a reviewer"
    EXPIRED = "past its date"
    NOT_TRAINABLE = "marked as not to be learnt"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "replaced, because the question was edited"
    PRIVATE_CHANNEL = "from a private channel"
    DIRECT_MESSAGE = "from a direct message"
    OPTED_OUT = "from someone who opted out"
    CHANNEL_DOCUMENT = "told a document that one channel alone may see"


def objection(row: ReviewedAnswer, night: NightSettings, opted_out: Collection[int]) -> Objection | None:
    """The first thing that speaks against learning from this row, or None where it may be learnt.

    `opted_out` are the tickets in which such a person asked or wrote (`datasets.tickets_with`).
    """
    until = row.review.valid_until
    objections = {
        Objection.CONTESTED: row.contested,
        Objection.REJECTED: row.review.verdict is Verdict.REJECTED,
        Objection.EXPIRED: until is not None and until <= now(),
    }
    found = next((objection for objection, holds in objections.items() if holds), None)
    return found or objection_to_place(row.ticket, row.answer, night, opted_out)


def objection_to_place(
    ticket: Ticket, answer: Answer, night: NightSettings, opted_out: Collection[int]
) -> Objection | None:
    """The first thing that speaks against learning from an answer whatever was decided on it, or None."""
    objections = {
        Objection.NOT_TRAINABLE: not ticket.trainable,
        Objection.WITHDRAWN: ticket.status is TicketStatus.WITHDRAWN or answer.state is DeliveryState.WITHDRAWN,
        Objection.SUPERSEDED: answer.state is DeliveryState.SUPERSEDED,
        Objection.PRIVATE_CHANNEL: ticket.visibility is Visibility.PRIVATE and not night.learn_private_channels,
        Objection.DIRECT_MESSAGE: ticket.visibility is Visibility.DIRECT and not night.learn_direct_messages,
        Objection.OPTED_OUT: ticket.id in opted_out,
        Objection.CHANNEL_DOCUMENT: any(passage.get("channel") for passage in answer.passages),
    }
    return next((objection for objection, holds in objections.items() if holds), None)
