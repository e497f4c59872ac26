"""By which signs an answer is found that teaches much, and how many show which.

Nothing here walks through all answers. Each sign has an index and a query that no planner can turn round, also on a
SQLite without statistics: it names one index, and the rest is sorted out here. Lists end at `MOST`.
"""

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, exists, func, select

from store.reviews import NOT_OURS, REVIEWABLE, SENT_BACK
from store.tables import Answer, Proposal, Review, ReviewSkip, Ticket, Vote
from store.words import Arm, DeliveryState, ProposalState, QueueFilter, ReviewState, TicketStatus, Verdict, VoteValue

AGAIN = (ReviewState.SECOND, ReviewState.THIRD)
OPEN = (ReviewState.WAITING, *AGAIN, ReviewState.CONTRADICTED)
MOST = 300
WAITING = col(Answer.review_state) == ReviewState.WAITING
UNSURE = math.log(0.5)
"""Below this mean log-probability of its tokens the model was unsure: on average it gave each less than one half."""


@dataclass(frozen=True)
class Survey:
    """The answers that wait for one reviewer, by sign, each list with the best first; `skipped` they left to others."""

    signs: dict[QueueFilter, list[int]]
    others: list[list[int]]
    skipped: int


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


def _open(session: Session, *which: ColumnElement[bool], order: Any = None, limit: int | None = None) -> list[int]:
    """The answers out of these that somebody has still to decide on."""
    found = select(Answer.id, Answer.review_state, Answer.state, Answer.arm).where(*which).order_by(order).limit(limit)
    return [
        id_
        for id_, review_state, state, arm in session.exec(found)
        if id_ is not None
        and review_state in OPEN
        and state in REVIEWABLE
        and (arm not in NOT_OURS or (arm == Arm.HUMAN and review_state in SENT_BACK))
    ]


def _judged_by(reviewer_id: str) -> ColumnElement[bool]:
    return exists().where(col(Review.answer_id) == col(Answer.id), col(Review.reviewer_id) == reviewer_id)


def voted_down(session: Session, reviewer_id: str) -> list[int]:
    """Those with most 👎 first."""
    votes = (
        select(Vote.answer_id, func.count())
        .join(Answer, col(Vote.answer_id) == col(Answer.id))
        .where(Vote.value == VoteValue.DOWN, col(Answer.review_state).in_(OPEN))
        .group_by(col(Vote.answer_id))
        .order_by(func.count().desc(), col(Vote.answer_id).desc())
        .limit(MOST)
    )
    return _in_this_order(session, [answer_id for answer_id, _ in session.exec(votes)])


def escalated(session: Session, reviewer_id: str) -> list[int]:
    """Those whose asker wants a human, the newest first."""
    status = col(Ticket.status) == TicketStatus.ESCALATED
    tickets = session.exec(select(Ticket.id).where(status).order_by(col(Ticket.id).desc()).limit(MOST)).all()
    return sorted(_open(session, col(Answer.ticket_id).in_(tickets)), reverse=True)


def unsure(session: Session, reviewer_id: str) -> list[int]:
    """Those that the model itself doubted, the most doubtful first."""
    return _least_sure(session, col(Answer.mean_logprob) < UNSURE)


def proposed(session: Session, reviewer_id: str) -> list[int]:
    """Those to which a person's own reply proposes a correction, the newest first."""
    replies = select(Proposal.answer_id).where(Proposal.state == ProposalState.OPEN).distinct()
    ids = session.exec(replies.order_by(col(Proposal.answer_id).desc()).limit(MOST)).all()
    return _in_this_order(session, ids)


def second_opinion(session: Session, reviewer_id: str) -> list[int]:
    """Those that somebody else has judged, and that need another opinion, the oldest first."""
    again = col(Answer.review_state).in_(AGAIN)
    return _open(session, again, ~_judged_by(reviewer_id), order=col(Answer.id), limit=MOST)


def contradicted(session: Session, reviewer_id: str) -> list[int]:
    """Those that contradict another answer, the oldest first; whoever has judged one may look again."""
    found = col(Answer.review_state) == ReviewState.CONTRADICTED
    return _open(session, found, order=col(Answer.id), limit=MOST)


SIGNS: dict[QueueFilter, Callable[[Session, str], list[int]]] = {
    QueueFilter.VOTED_DOWN: voted_down,
    QueueFilter.ESCALATED: escalated,
    QueueFilter.UNSURE: unsure,
    QueueFilter.PROPOSED: proposed,
    QueueFilter.SECOND_OPINION: second_opinion,
    QueueFilter.CONTRADICTED: contradicted,
}


def failed(session: Session) -> list[int]:
    """Those that ended in an error, the newest first."""
    return _open(session, WAITING, col(Answer.state) == DeliveryState.FAILED, order=col(Answer.id).desc(), limit=MOST)


def newest(session: Session) -> list[int]:
    """The newest first."""
    return _open(session, WAITING, order=col(Answer.id).desc(), limit=MOST)


def repeated(session: Session) -> list[int]:
    """The newest of each group of near-duplicates, the largest group first."""
    groups = (
        select(func.max(Answer.id))
        .where(WAITING, col(Answer.near_group).is_not(None))
        .group_by(col(Answer.near_group))
        .having(func.count() > 1)
        .order_by(func.count().desc())
        .limit(MOST)
    )
    return _in_this_order(session, [id_ for id_ in session.exec(groups) if id_ is not None])


def in_channels(session: Session, channels: list[str]) -> list[int]:
    """Those asked in these channels, the newest first."""
    theirs = col(Answer.ticket_id).in_(select(Ticket.id).where(col(Ticket.channel_id).in_(channels)))
    return _open(session, col(Answer.review_state).in_(OPEN), theirs, order=col(Answer.id).desc(), limit=MOST)


def _least_sure(session: Session, which: ColumnElement[bool]) -> list[int]:
    return _open(session, WAITING, which, order=col(Answer.mean_logprob), limit=MOST)


def _in_this_order(session: Session, ids: Iterable[int]) -> list[int]:
    wanted = list(ids)
    waiting = set(_open(session, col(Answer.id).in_(wanted)))
    return [id_ for id_ in wanted if id_ in waiting]


def survey(session: Session, reviewer_id: str) -> Survey:
    """What waits for a reviewer: not their own questions, nor what they have judged or left to others."""
    own, skipped = _own(session, reviewer_id), skipped_by(session, reviewer_id)
    found = {sign: ids(session, reviewer_id) for sign, ids in SIGNS.items()}
    others = [failed(session), _least_sure(session, col(Answer.mean_logprob).is_not(None))]
    others += [newest(session), repeated(session)]
    judged = _judged(session, reviewer_id, found)
    closed = own | skipped | judged
    return Survey(
        {sign: [id_ for id_ in ids if id_ not in closed] for sign, ids in found.items()},
        [[id_ for id_ in ids if id_ not in closed] for ids in others],
        len(skipped),
    )


def open_to(session: Session, reviewer_id: str, ids: Collection[int]) -> set[int]:
    """Those of these answers that a reviewer can decide on."""
    own = (
        select(Answer.id)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(col(Answer.id).in_(ids), Ticket.asker_id == reviewer_id)
    )
    closed = {*session.exec(own), *_done(session, reviewer_id, ids), *skipped_by(session, reviewer_id)}
    return set(_open(session, col(Answer.id).in_(ids))) - closed


def _own(session: Session, reviewer_id: str) -> set[int]:
    tickets = session.exec(select(Ticket.id).where(Ticket.asker_id == reviewer_id)).all()
    return set(_open(session, col(Answer.ticket_id).in_(tickets)))


def skipped_by(session: Session, reviewer_id: str) -> set[int]:
    """The answers that a reviewer has left to others and nobody has decided on."""
    skipped = session.exec(select(ReviewSkip.answer_id).where(ReviewSkip.reviewer_id == reviewer_id)).all()
    return set(_open(session, col(Answer.id).in_(skipped)))


def _judged(session: Session, reviewer_id: str, found: dict[QueueFilter, list[int]]) -> set[int]:
    """Those of the found ones that wait for another opinion after this reviewer's."""
    return _done(session, reviewer_id, {id_ for listed in found.values() for id_ in listed})


def _done(session: Session, reviewer_id: str, ids: Collection[int]) -> set[int]:
    """Those of these answers that a reviewer has judged and may not judge again."""
    judged = (
        select(Review.answer_id)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .where(
            col(Review.answer_id).in_(ids),
            Review.reviewer_id == reviewer_id,
            Answer.review_state != ReviewState.CONTRADICTED,
        )
    )
    return set(session.exec(judged))


def counts(session: Session, reviewer_id: str, found: Survey) -> Counts:
    """How many answers wait for this reviewer, in all channels, and how many were decided by all, by verdict."""
    verdicts = dict(session.exec(select(Review.verdict, func.count()).group_by(col(Review.verdict))).all())
    return Counts(
        waiting=waiting(session, reviewer_id),
        signs={sign: len(ids) for sign, ids in found.signs.items()},
        skipped=found.skipped,
        accepted=verdicts.get(Verdict.ACCEPTED, 0),
        corrected=verdicts.get(Verdict.CORRECTED, 0),
        rejected=verdicts.get(Verdict.REJECTED, 0),
    )


def waiting(session: Session, reviewer_id: str) -> int:
    """How many answers wait for this reviewer: all that are open, counted by an index, less the few closed to them."""
    counted = select(func.count()).select_from(Answer).where(col(Answer.state).in_(REVIEWABLE))
    fresh = session.exec(counted.where(WAITING, col(Answer.arm).not_in(NOT_OURS))).one()
    theirs = col(Answer.arm) != Arm.TRIAL
    again = session.exec(counted.where(col(Answer.review_state).in_(AGAIN), theirs, ~_judged_by(reviewer_id))).one()
    contrary = session.exec(counted.where(col(Answer.review_state) == ReviewState.CONTRADICTED, theirs)).one()
    closed = _own(session, reviewer_id) | skipped_by(session, reviewer_id)
    return fresh + again + contrary - len(closed - _done(session, reviewer_id, closed))
