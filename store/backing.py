"""Who stands behind the reviewed answers: how many reviewers agree, who chose them by a vote, who is new here."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, func, select, update

from store.tables import Answer, Review, Ticket, Vote
from store.words import ReviewState, Surface, Verdict

PART = 500


def seconded(session: Session) -> set[int]:
    """The answers on which two reviewers gave the same verdict."""
    agreed = (
        select(Review.answer_id)
        .where(col(Review.verdict) != Verdict.REJECTED)
        .group_by(col(Review.answer_id), col(Review.verdict))
        .having(func.count() > 1)
    )
    return set(session.exec(agreed))


def sole_voters(session: Session) -> dict[int, str]:
    """The reviewed answers with one vote, and whose it is: nobody else has shown them to the reviewers."""
    reviewed = select(Review.answer_id).where(col(Review.answer_id) == col(Vote.answer_id)).exists()
    alone = (
        select(Vote.answer_id, func.min(Vote.person_id))
        .where(reviewed)
        .group_by(col(Vote.answer_id))
        .having(func.count() == 1)
    )
    return {answer_id: str(person_id) for answer_id, person_id in session.exec(alone)}


def first_seen(session: Session, since: datetime) -> dict[str, datetime]:
    """Who first asked or voted after a moment, and when; imported tickets introduce nobody."""
    asked = (
        select(Ticket.asker_id, func.min(Ticket.created_at))
        .where(Ticket.surface != Surface.IMPORT)
        .group_by(Ticket.asker_id)
    )
    voted = select(Vote.person_id, func.min(Vote.created_at)).group_by(col(Vote.person_id))
    found: dict[str, datetime] = {}
    for person_id, moment in (*session.exec(asked), *session.exec(voted)):
        found[person_id] = min(moment, found.get(person_id, moment))
    return {person_id: moment for person_id, moment in found.items() if moment > since}


def ask_a_second(session: Session, answer_ids: Collection[int]) -> None:
    """Put answers that one reviewer settled into the queue of those that need a second opinion."""
    ids = sorted(answer_ids)
    for start in range(0, len(ids), PART):
        settled = col(Answer.id).in_(ids[start : start + PART]), col(Answer.review_state) == ReviewState.SETTLED
        session.exec(update(Answer).where(*settled).values(review_state=ReviewState.SECOND))
