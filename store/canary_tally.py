"""How the threads of a canary and those of production beside it have gone so far."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, case, col, exists, func, or_, select

from store.tables import Answer, Canary, Message, Ticket, Vote
from store.usage import COUNTED
from store.words import Arm, DeliveryState, Role, TicketStatus, VoteValue


@dataclass(frozen=True)
class Gone:
    """Threads that began in one arm since the canary did.

    `wrong` are those that went wrong: an answer was voted down, a person had to help or was called, or the asker asked
    nearly the same anew. `failed` are those with an answer that failed.
    """

    threads: int = 0
    wrong: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Tally:
    """Both arms, and the share of the threads that falls to the canary where nothing but the draw decides."""

    canary: Gone
    champion: Gone
    share: float


def tally(session: Session, canary: Canary) -> Tally:
    """Count the threads of both arms.

    Where only a part of some channels or people is drawn, production's threads are those of the same part. Where all
    of the part is the canary's, they are everybody else's, and the share is that of the threads so far: the draw then
    does not vouch for the comparison.
    """
    drawn = canary.share < 1
    found = {Arm.CANARY: Gone(), Arm.CHAMPION: Gone()}
    for ours, *counts in session.execute(_counts(canary, same_part=drawn)):
        found[Arm.CANARY if ours else Arm.CHAMPION] = Gone(*counts)
    ours, theirs = found[Arm.CANARY], found[Arm.CHAMPION]
    both = ours.threads + theirs.threads
    return Tally(ours, theirs, canary.share if drawn else (ours.threads + 1) / (both + 2))


def _counts(canary: Canary, *, same_part: bool) -> Any:
    arms = (
        select(
            Answer.ticket_id,
            func.max(case((col(Answer.arm) == Arm.CANARY, 1), else_=0)).label("ours"),
            func.max(case((col(Answer.state) == DeliveryState.FAILED, 1), else_=0)).label("failed"),
        )
        # What a reviewer has approved is given by either version alike.
        .where(col(Answer.arm).in_(COUNTED), col(Answer.approved_by).is_(None))
        .where(col(Answer.created_at) >= canary.started_at)
        .group_by(col(Answer.ticket_id))
        .subquery()
    )
    statement = (
        select(
            arms.c.ours,
            func.count(),
            func.coalesce(func.sum(case((_went_wrong(), 1), else_=0)), 0),
            func.coalesce(func.sum(arms.c.failed), 0),
        )
        .select_from(arms)
        .join(Ticket, col(Ticket.id) == arms.c.ticket_id)
        .where(col(Ticket.created_at) >= canary.started_at)
        .group_by(arms.c.ours)
    )
    if same_part and (canary.channels or canary.people):
        named = or_(col(Ticket.channel_id).in_(canary.channels), col(Ticket.asker_id).in_(canary.people))
        statement = statement.where(named)
    return statement


def _went_wrong() -> Any:
    helped = exists().where(
        col(Message.ticket_id) == col(Ticket.id), col(Message.role) == Role.HELPER, col(Message.deleted).is_(False)
    )
    disliked = (
        exists()
        .where(col(Vote.answer_id) == col(Answer.id))
        .where(col(Answer.ticket_id) == col(Ticket.id), col(Vote.value) == VoteValue.DOWN)
    )
    given, later, anew = aliased(Answer), aliased(Answer), aliased(Ticket)
    asked_again = exists().where(
        and_(
            col(given.ticket_id) == col(Ticket.id),
            col(later.near_group) == col(given.near_group),
            col(later.ticket_id) == col(anew.id),
            col(anew.id) > col(Ticket.id),
            col(anew.asker_id) == col(Ticket.asker_id),
        )
    )
    called = or_(col(Ticket.status) == TicketStatus.ESCALATED, col(Ticket.escalated_to) != "")
    return or_(called, helped, disliked, asked_again)
