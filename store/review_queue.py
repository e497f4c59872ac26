"""The review queue: the answers that wait, the ones that teach most first.

The first `POOL` by each sign (`review_signs`) are ranked against each other; what comes after them moves up as they
are decided. Of near-duplicates the first stands for all.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from store import contradictions, review_claims, review_signs
from store.contradictions import Opposed
from store.review_signs import Survey
from store.tables import Answer, Proposal, Review, ReviewDesk, Ticket, Vote
from store.words import DeliveryState, ProposalState, QueueFilter, ReviewState, TicketStatus, VoteValue

POOL = 60
LATEST = 500
ALIKE = 10
"""Slack shows at most ten checkboxes in a group."""


@dataclass(frozen=True)
class Facts:
    """What an answer is ranked by: votes, open proposals, near-duplicates that wait with it, doubt from 0 to 1."""

    id: int
    group: int | None
    failed: bool
    escalated: bool
    again: bool
    doubt: float
    up: int
    down: int
    proposals: int
    alike: int
    contradicted: bool = False

    @property
    def rank(self) -> tuple[float, int]:
        """How much it teaches: a complaint outweighs doubt, each doubling of its repeats weighs one; then the newer."""
        points = 4.0 * min(self.down, 5) + 3.0 * self.escalated + 3.0 * self.failed + 2.5 * self.again
        points += 3.0 * self.contradicted
        points += 2.0 * min(self.proposals, 1) + 2.0 * self.doubt + math.log2(1 + self.alike)
        return points, self.id


@dataclass(frozen=True)
class QueueItem:
    """An answer that waits, what speaks for looking at it, who is busy with it now, and what it contradicts."""

    answer: Answer
    ticket: Ticket
    facts: Facts
    holder: str = ""
    contradicts: Sequence[Opposed] = ()


@dataclass(frozen=True)
class Decided:
    """A decision as the queue shows it when a tag is chosen."""

    review: Review
    question: str


def desk_of(session: Session, reviewer_id: str) -> ReviewDesk:
    """What a reviewer has chosen to look at; everything at first."""
    return session.get(ReviewDesk, reviewer_id) or ReviewDesk(reviewer_id=reviewer_id, channels=[])


def ranked(session: Session, desk: ReviewDesk, found: Survey) -> list[Facts]:
    """The first answers that this reviewer can decide on, one of each group of near-duplicates, best first."""
    ids = _candidates(session, desk, found)
    stands = session.exec(
        select(Answer.id, Answer.review_state, Ticket.status, Ticket.channel_id)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(col(Answer.id).in_(ids))
    ).all()
    kept = {
        id_: (ReviewState(review_state), TicketStatus(status))
        for id_, review_state, status, channel_id in stands
        if id_ is not None and status != TicketStatus.WITHDRAWN and (not desk.channels or channel_id in desk.channels)
    }
    given = session.exec(select(Vote.answer_id, Vote.value).where(col(Vote.answer_id).in_(kept))).all()
    replies = select(Proposal.answer_id).where(Proposal.state == ProposalState.OPEN)
    known = _Known(
        votes=Counter((answer_id, VoteValue(value)) for answer_id, value in given),
        proposals=Counter(session.exec(replies.where(col(Proposal.answer_id).in_(kept))).all()),
        stands=kept,
        sizes=_sizes(session, kept),
    )
    rows = session.exec(
        select(Answer.id, Answer.near_group, Answer.state, Answer.mean_logprob).where(col(Answer.id).in_(kept))
    )
    facts = [_facts(known, id_ or 0, group, DeliveryState(state), logprob) for id_, group, state, logprob in rows]
    return _first_of_each_group(sorted(facts, key=lambda one: one.rank, reverse=True))


@dataclass(frozen=True)
class _Known:
    """What the store says about the candidates, by answer; `sizes` by group."""

    votes: Counter[tuple[int, VoteValue]]
    proposals: Counter[int]
    stands: Mapping[int, tuple[ReviewState, TicketStatus]]
    sizes: Mapping[int, int]


def _facts(known: _Known, id_: int, group: int | None, state: DeliveryState, logprob: float | None) -> Facts:
    review_state, status = known.stands[id_]
    again = review_state in review_signs.AGAIN
    contradicted = review_state == ReviewState.CONTRADICTED
    alone = group is None or again or contradicted
    return Facts(
        id=id_,
        group=None if alone else group,
        failed=state == DeliveryState.FAILED,
        escalated=status == TicketStatus.ESCALATED,
        again=again,
        contradicted=contradicted,
        doubt=0.0 if logprob is None else 1 - math.exp(min(logprob, 0.0)),
        up=known.votes[id_, VoteValue.UP],
        down=known.votes[id_, VoteValue.DOWN],
        proposals=known.proposals[id_],
        alike=0 if alone else max(0, known.sizes.get(group or 0, 0) - 1),
    )


def _candidates(session: Session, desk: ReviewDesk, found: Survey) -> set[int]:
    chosen = desk.filter != QueueFilter.ALL
    lists = [found.signs[desk.filter]] if chosen else [*found.signs.values(), *found.others]
    if desk.channels:
        # The first of a quiet channel may come late in every list.
        mine = review_signs.in_channels(session, list(desk.channels))
        closed = set(mine) - review_signs.open_to(session, desk.reviewer_id, mine)
        extra = [] if chosen else [[id_ for id_ in mine if id_ not in closed]]
        return {id_ for listed in [*lists, *extra] for id_ in listed}
    return {id_ for listed in lists for id_ in listed[: 3 * POOL if chosen else POOL]}


def _sizes(session: Session, ids: Collection[int]) -> dict[int, int]:
    """How many answers wait in each of the groups that these answers belong to."""
    groups = set(session.exec(select(Answer.near_group).where(col(Answer.id).in_(ids))).all()) - {None}
    waiting = select(Answer.near_group, func.count()).where(Answer.review_state == ReviewState.WAITING)
    rows = session.exec(waiting.where(col(Answer.near_group).in_(groups)).group_by(col(Answer.near_group)))
    return {group: size for group, size in rows if group is not None}


def _first_of_each_group(facts: Sequence[Facts]) -> list[Facts]:
    seen: set[int] = set()
    kept = []
    for one in facts:
        if one.group is None or one.group not in seen:
            kept.append(one)
        if one.group is not None:
            seen.add(one.group)
    return kept


def items(session: Session, shown: Sequence[Facts]) -> list[QueueItem]:
    """These answers with their tickets, in the same order."""
    found = session.exec(
        select(Answer, Ticket)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(col(Answer.id).in_([one.id for one in shown]))
    )
    by_id = {answer.id: (answer, ticket) for answer, ticket in found}
    holders = review_claims.holders(session)
    contrary = contradictions.opposed(session, [one.id for one in shown if one.contradicted])
    return [
        QueueItem(*by_id[one.id], one, holders.get(one.id, ""), contrary.get(one.id, ()))
        for one in shown
        if one.id in by_id
    ]


def take_next(session: Session, desk: ReviewDesk) -> int | None:
    """Claim the first answer that nobody else is busy with; None when there is none."""
    holders = review_claims.holders(session)
    for one in ranked(session, desk, review_signs.survey(session, desk.reviewer_id)):
        free = holders.get(one.id, desk.reviewer_id) == desk.reviewer_id
        if free and review_claims.claim(session, one.id, desk.reviewer_id):
            return one.id
    return None


def alike(session: Session, answer: Answer, reviewer_id: str) -> tuple[list[tuple[Answer, Ticket]], int]:
    """The first `ALIKE` near-duplicates that wait with an answer and are free, and how many more there are."""
    if answer.near_group is None or answer.review_state != ReviewState.WAITING:
        return [], 0
    group = select(Answer.id).where(
        Answer.review_state == ReviewState.WAITING, Answer.near_group == answer.near_group, Answer.id != answer.id
    )
    found = [id_ for id_ in session.exec(group.order_by(col(Answer.id)).limit(review_signs.MOST)) if id_ is not None]
    mine, holders = review_signs.open_to(session, reviewer_id, found), review_claims.holders(session)
    free = [id_ for id_ in found if id_ in mine and holders.get(id_, reviewer_id) == reviewer_id]
    rows = session.exec(
        select(Answer, Ticket)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(col(Answer.id).in_(free[:ALIKE]))
        .order_by(col(Answer.id))
    )
    return list(rows.all()), max(0, len(free) - ALIKE)


def tagged(session: Session, tag: str) -> list[Decided]:
    """The latest decisions that carry a tag, among the last `LATEST`."""
    last = (
        select(Review, Ticket.question)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .where(Review.batch != "")
        .order_by(col(Review.id).desc())
        .limit(LATEST)
    )
    return [Decided(review, question) for review, question in session.exec(last) if tag in review.tags]
