"""Contradictory answers to one question: found by the night, decided by reviewers, and remembered.

A pair is open until somebody reviews one of the two again. Meanwhile both are in the review queue and neither is
learnt. What is kept of a pair are numbers alone, so there is nothing in it to be forgotten.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from store import verdicts
from store.session import insert_ignoring
from store.tables import Answer, Contradiction, Review, Ticket, now
from store.words import ReviewState, Verdict

Pair = tuple[int, int]


@dataclass(frozen=True)
class Opposed:
    """The other answer of a pair, as it counts, with its ticket."""

    ticket: Ticket
    text: str


def record(session: Session, found: Collection[Pair]) -> None:
    """Bring the open pairs up to date with what a night has found: new ones go back to reviewers, others are over."""
    wanted = {_ordered(pair) for pair in found}
    known = {(row.answer_id, row.other_id): row for row in session.exec(select(Contradiction))}
    for pair, row in known.items():
        if row.upheld_id is None and pair not in wanted:
            session.delete(row)
    moment = now()
    for answer_id, other_id in sorted(wanted - known.keys()):
        insert_ignoring(session, Contradiction, {"answer_id": answer_id, "other_id": other_id, "found_at": moment})
    session.flush()
    _send_back(session, {answer_id for pair in wanted for answer_id in pair})
    _let_go(session, {answer_id for pair in known.keys() - wanted for answer_id in pair})


def upheld(session: Session) -> dict[Pair, int]:
    """The pairs on which a reviewer has looked again, each with the answer that stands."""
    rows = session.exec(select(Contradiction).where(col(Contradiction.upheld_id).is_not(None)))
    return {(row.answer_id, row.other_id): row.upheld_id or 0 for row in rows}


def decided(session: Session, review: Review) -> None:
    """A reviewer has decided on an answer: its open pairs are settled, and the other answers need nobody any more.

    An answer that is accepted or corrected is upheld against the other; one that is rejected is not.
    """
    for row in session.exec(_open_pairs([review.answer_id])).all():
        other = row.other_id if row.answer_id == review.answer_id else row.answer_id
        row.upheld_id = other if review.verdict == Verdict.REJECTED else review.answer_id
        row.review_id = review.id
        session.flush()
        _let_go(session, {other})


def undone(session: Session, review: Review) -> None:
    """A decision was taken back: the pairs that it settled are open again."""
    rows = session.exec(select(Contradiction).where(Contradiction.review_id == review.id)).all()
    for row in rows:
        row.upheld_id, row.review_id = None, None
        session.flush()
        _send_back(session, {row.answer_id, row.other_id})


def opposed(session: Session, answer_ids: Collection[int]) -> dict[int, list[Opposed]]:
    """What each of these answers contradicts and nobody has looked at."""
    pairs = [(row.answer_id, row.other_id) for row in session.exec(_open_pairs(answer_ids))]
    pairs = [*pairs, *((other, one) for one, other in pairs)]
    others = {other for one, other in pairs if one in set(answer_ids)}
    rows = session.exec(
        select(Answer, Ticket).join(Ticket, col(Ticket.id) == col(Answer.ticket_id)).where(col(Answer.id).in_(others))
    )
    texts = {answer.id: Opposed(ticket, _as_it_counts(session, answer)) for answer, ticket in rows}
    found: dict[int, list[Opposed]] = defaultdict(list)
    for one, other in pairs:
        if one in set(answer_ids) and other in texts:
            found[one].append(texts[other])
    return dict(found)


def _as_it_counts(session: Session, answer: Answer) -> str:
    given = session.exec(select(Review).where(Review.answer_id == answer.id).order_by(col(Review.id))).all()
    counts = verdicts.final(given)
    return counts.correction if counts is not None and counts.verdict == Verdict.CORRECTED else answer.text


def _open_pairs(answer_ids: Iterable[int]) -> SelectOfScalar[Contradiction]:
    wanted = list(answer_ids)
    either = or_(col(Contradiction.answer_id).in_(wanted), col(Contradiction.other_id).in_(wanted))
    return select(Contradiction).where(either, col(Contradiction.upheld_id).is_(None))


def _send_back(session: Session, answer_ids: Collection[int]) -> None:
    for part in _parts(answer_ids):
        settled = col(Answer.id).in_(part), col(Answer.review_state) == ReviewState.SETTLED
        session.exec(update(Answer).where(*settled).values(review_state=ReviewState.CONTRADICTED))


def _let_go(session: Session, answer_ids: Collection[int]) -> None:
    """Take answers out of the queue, unless another contradiction keeps them there."""
    for part in _parts(answer_ids):
        rows = session.exec(_open_pairs(part)).all()
        kept = {answer_id for row in rows for answer_id in (row.answer_id, row.other_id)}
        free = [answer_id for answer_id in part if answer_id not in kept]
        waits = col(Answer.id).in_(free), col(Answer.review_state) == ReviewState.CONTRADICTED
        session.exec(update(Answer).where(*waits).values(review_state=ReviewState.SETTLED))


def _parts(answer_ids: Collection[int], size: int = 500) -> list[list[int]]:
    # Databases have a limit on the values of one statement.
    ids = sorted(answer_ids)
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _ordered(pair: Pair) -> Pair:
    return min(pair), max(pair)
