"""By which signs an answer is found that teaches much, and how many show which.

Nothing here walks through all answers: each sign has an index, and counts stop at `MOST`.
"""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, exists, func, select, union
from sqlmodel.sql.expression import SelectOfScalar

from store.reviews import NOT_OURS, REVIEWABLE
from store.tables import Answer, Proposal, Review, ReviewDesk, ReviewSkip, Ticket, Vote
from store.words import DeliveryState, ProposalState, QueueFilter, ReviewState, TicketStatus, Verdict, VoteValue

OPEN = (ReviewState.WAITING, ReviewState.SECOND, ReviewState.THIRD)
AGAIN = (ReviewState.SECOND, ReviewState.THIRD)
MOST = 1000
UNSURE = math.log(0.5)
"""Below this mean log-probability of its tokens the model was unsure: on average it gave each less than one half."""

Ids = SelectOfScalar[Any]


@dataclass(frozen=True)
class Counts:
    """How many answers a reviewer can decide on, how many of them show which sign (up to `MOST`), what was decided."""

    waiting: int = 0
    signs: dict[QueueFilter, int] | None = None
    skipped: int = 0
    accepted: int = 0
    corrected: int = 0
    rejected: int = 0

    def showing(self, sign: QueueFilter) -> int:
        """How many show this sign."""
        return (self.signs or {}).get(sign, 0)


def open_to(desk: ReviewDesk, *states: ReviewState) -> Ids:
    """The answers that the reviewer at this desk can decide on, in the channels that they chose."""
    me = desk.reviewer_id
    reviewed = exists().where(col(Review.answer_id) == col(Answer.id), col(Review.reviewer_id) == me)
    skipped = exists().where(col(ReviewSkip.answer_id) == col(Answer.id), col(ReviewSkip.reviewer_id) == me)
    found: Ids = (
        select(Answer.id)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(
            col(Answer.review_state).in_(states or OPEN),
            reviewable(),
            col(Ticket.status) != TicketStatus.WITHDRAWN,
            col(Ticket.asker_id) != me,
            ~reviewed,
            ~skipped,
        )
    )
    return found.where(col(Ticket.channel_id).in_(desk.channels)) if desk.channels else found


def reviewable() -> ColumnElement[bool]:
    """An answer of the bot that has come to its end."""
    return and_(col(Answer.state).in_(REVIEWABLE), col(Answer.arm).not_in(NOT_OURS))


def voted_down(desk: ReviewDesk) -> Ids:
    """Those with most 👎 first."""
    found = open_to(desk).join(Vote, col(Vote.answer_id) == col(Answer.id)).where(Vote.value == VoteValue.DOWN)
    return found.group_by(col(Answer.id)).order_by(func.count().desc(), col(Answer.id).desc())


def escalated(desk: ReviewDesk) -> Ids:
    """Those whose asker wants a human."""
    return open_to(desk).where(Ticket.status == TicketStatus.ESCALATED).order_by(col(Answer.id).desc())


def unsure(desk: ReviewDesk) -> Ids:
    """Those that the model itself doubted, the most doubtful first."""
    found = open_to(desk, ReviewState.WAITING).where(col(Answer.mean_logprob) < UNSURE)
    return found.order_by(col(Answer.mean_logprob))


def proposed(desk: ReviewDesk) -> Ids:
    """Those to which a person's own reply proposes a correction."""
    found = open_to(desk).join(Proposal, col(Proposal.answer_id) == col(Answer.id))
    found = found.where(Proposal.state == ProposalState.OPEN)
    return found.group_by(col(Answer.id)).order_by(col(Answer.id).desc())


def second_opinion(desk: ReviewDesk) -> Ids:
    """Those that somebody else has judged, and that need another opinion."""
    return open_to(desk, *AGAIN).order_by(col(Answer.id))


SIGNS = {
    QueueFilter.VOTED_DOWN: voted_down,
    QueueFilter.ESCALATED: escalated,
    QueueFilter.UNSURE: unsure,
    QueueFilter.PROPOSED: proposed,
    QueueFilter.SECOND_OPINION: second_opinion,
}


def failed(desk: ReviewDesk) -> Ids:
    """Those that ended in an error."""
    return open_to(desk).where(Answer.state == DeliveryState.FAILED).order_by(col(Answer.id).desc())


def least_sure(desk: ReviewDesk) -> Ids:
    """Those with any doubt, the most doubtful first."""
    found = open_to(desk, ReviewState.WAITING).where(col(Answer.mean_logprob).is_not(None))
    return found.order_by(col(Answer.mean_logprob))


def newest(desk: ReviewDesk) -> Ids:
    """The newest first."""
    return open_to(desk, ReviewState.WAITING).order_by(col(Answer.id).desc())


def repeated(session: Session, desk: ReviewDesk, groups: int) -> Ids:
    """Those of the groups of near-duplicates in which most wait."""
    largest = (
        select(Answer.near_group)
        .where(Answer.review_state == ReviewState.WAITING, col(Answer.near_group).is_not(None))
        .group_by(col(Answer.near_group))
        .having(func.count() > 1)
        .order_by(func.count().desc())
        .limit(groups)
    )
    found = session.exec(largest).all()
    return open_to(desk, ReviewState.WAITING).where(col(Answer.near_group).in_(found)).order_by(col(Answer.id).desc())


def counts(session: Session, reviewer_id: str) -> Counts:
    """How many answers wait for this reviewer, in all channels, and how many were decided by all, by verdict."""
    everywhere = ReviewDesk(reviewer_id=reviewer_id, channels=[])
    skipped = select(func.count()).select_from(ReviewSkip).where(ReviewSkip.reviewer_id == reviewer_id)
    still = skipped.join(Answer, col(Answer.id) == col(ReviewSkip.answer_id)).where(col(Answer.review_state).in_(OPEN))
    verdicts = dict(session.exec(select(Review.verdict, func.count()).group_by(col(Review.verdict))).all())
    return Counts(
        waiting=waiting(session, reviewer_id),
        signs={sign: _up_to_most(session, ids(everywhere)) for sign, ids in SIGNS.items()},
        skipped=session.exec(still).one(),
        accepted=verdicts.get(Verdict.ACCEPTED, 0),
        corrected=verdicts.get(Verdict.CORRECTED, 0),
        rejected=verdicts.get(Verdict.REJECTED, 0),
    )


def _up_to_most(session: Session, ids: Ids) -> int:
    return session.exec(select(func.count()).select_from(ids.order_by(None).limit(MOST).subquery())).one()


def waiting(session: Session, reviewer_id: str) -> int:
    """How many answers wait for this reviewer: all that are open, counted by an index, less the few closed to them."""
    all_open = and_(col(Answer.review_state).in_(OPEN), reviewable())
    total = session.exec(select(func.count()).select_from(Answer).where(all_open)).one()
    by_ticket = select(Answer.id).join(Ticket, col(Answer.ticket_id) == col(Ticket.id)).where(all_open)
    closed = union(
        by_ticket.where(Ticket.status == TicketStatus.WITHDRAWN),
        by_ticket.where(Ticket.asker_id == reviewer_id),
        select(Answer.id)
        .join(ReviewSkip, col(ReviewSkip.answer_id) == col(Answer.id))
        .where(all_open, ReviewSkip.reviewer_id == reviewer_id),
        select(Answer.id)
        .join(Review, col(Review.answer_id) == col(Answer.id))
        .where(all_open, col(Answer.review_state).in_(AGAIN), Review.reviewer_id == reviewer_id),
    ).subquery()
    return total - session.exec(select(func.count()).select_from(closed)).one()
