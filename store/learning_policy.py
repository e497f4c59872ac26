"""What may leave the store for learning: the rule of the nightly curation, as a condition on tickets and answers."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from store.settings import NightSettings
from store.tables import Answer, Message, Ticket
from store.words import DeliveryState, TicketStatus, Visibility


def learnable(night: NightSettings) -> ColumnElement[bool]:
    """Trainable, not withdrawn, said where learning is switched on, and nobody in the thread has opted out."""
    places = [Visibility.PUBLIC]
    if night.learn_private_channels:
        places.append(Visibility.PRIVATE)
    if night.learn_direct_messages:
        places.append(Visibility.DIRECT)
    opted_out = select(Message.ticket_id).where(col(Message.person_id).in_(night.opted_out))
    return and_(
        col(Ticket.trainable),
        col(Ticket.status) != TicketStatus.WITHDRAWN,
        col(Answer.state) != DeliveryState.WITHDRAWN,
        col(Ticket.visibility).in_(places),
        col(Ticket.asker_id).not_in(night.opted_out),
        col(Ticket.id).not_in(opted_out),
    )
