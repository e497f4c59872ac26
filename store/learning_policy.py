"""What may be learnt from, and so may leave the store: one rule for the nightly curation and for the export."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from store.settings import NightSettings
from store.tables import Ticket, TicketStatus, Visibility


def learnable(night: NightSettings) -> ColumnElement[bool]:
    """The condition on tickets: trainable, not withdrawn, said where learning is switched on, nobody opted out."""
    places = [Visibility.PUBLIC]
    if night.learn_private_channels:
        places.append(Visibility.PRIVATE)
    if night.learn_direct_messages:
        places.append(Visibility.DIRECT)
    return and_(
        col(Ticket.trainable),
        col(Ticket.status) != TicketStatus.WITHDRAWN,
        col(Ticket.visibility).in_(places),
        col(Ticket.asker_id).not_in(night.opted_out),
    )
