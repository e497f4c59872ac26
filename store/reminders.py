"""Which askers are to be asked, once, whether an answer helped."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, exists, select, update

from store import outbox
from store.tables import Answer, Ticket, Vote
from store.words import Arm, DeliveryState, Surface, TicketStatus

KIND = "reminder"


@dataclass(frozen=True)
class Window:
    """The answers to ask about: those that have stood since before `until`, but not since before `since`."""

    since: datetime
    until: datetime


def owe_due(session: Session, window: Window, moment: datetime, limit: int) -> int:
    """Owe a reminder for each ticket whose answer nobody voted on or marked as solved; how many were owed."""
    owed = 0
    for answer_id, ticket_id in _due(session, window, limit):
        reminded = session.exec(
            update(Ticket)
            .where(col(Ticket.id) == ticket_id, col(Ticket.reminded_at).is_(None))
            .values(reminded_at=moment)
        )
        owed += bool(reminded.rowcount) and outbox.owe(session, f"{KIND}-{ticket_id}", KIND, {"answer_id": answer_id})
    return owed


def _due(session: Session, window: Window, limit: int) -> list[tuple[int, int]]:
    voted = (
        exists().where(col(Vote.answer_id) == col(Answer.id), col(Answer.ticket_id) == col(Ticket.id)).correlate(Ticket)
    )
    rows = session.exec(
        select(Answer.id, Ticket.id, Answer.completed_at)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(
            Ticket.status == TicketStatus.ANSWERED,
            Ticket.surface != Surface.IMPORT,
            col(Ticket.reminded_at).is_(None),
            col(Ticket.updated_at) >= window.since,
            col(Ticket.updated_at) <= window.until,
            Answer.state == DeliveryState.DELIVERED,
            Answer.arm != Arm.TRIAL,
            ~voted,
        )
        .order_by(col(Answer.id))
        .limit(limit)
    )
    newest = {ticket_id: answer_id for answer_id, ticket_id, _ in rows}
    return [(answer_id or 0, ticket_id or 0) for ticket_id, answer_id in newest.items()]
