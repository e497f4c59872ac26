"""Complaints that a version has fixed: who voted down what a reviewer corrected and the version has learnt."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from store import adapters, outbox, people
from store.approved import stands
from store.learnt import Lessons
from store.tables import Answer, Review, Ticket, Vote
from store.words import Verdict, VoteValue

KIND = "fix_notice"


@dataclass(frozen=True)
class Fix:
    """A complaint and what answers it now: the vote, the answer it was about, the correction that was learnt."""

    vote: Vote
    answer: Answer
    ticket: Ticket
    review: Review


def owe_notices(session: Session, adapter: str) -> int:
    """Owe everyone whose complaint this version has fixed a word about it, once for each answer; how many are new."""
    lessons = Lessons.of(session, adapter)
    return sum(
        outbox.owe(session, f"fix-{fix.answer.id}-{fix.vote.person_id}", KIND, _payload(fix, adapter))
        for fix in _complaints(session)
        if lessons.hold(fix.review, fix.ticket)
    )


def _payload(fix: Fix, adapter: str) -> dict[str, object]:
    return {"answer_id": fix.answer.id, "person_id": fix.vote.person_id, "adapter": adapter}


def to_tell(session: Session, answer_id: int, person_id: str, adapter: str) -> Fix | None:
    """The fix that a person is to be told of, or None when there is nothing to tell any more.

    So it is when production has moved on, the vote or the correction was taken back, the question was deleted, or
    the person does not want to hear of fixes.
    """
    if adapters.production(session) != adapter:
        return None
    for fix in _complaints(session, answer_id):
        if fix.vote.person_id != person_id:
            continue
        wanted = people.get(session, fix.ticket.team_id, person_id).fix_notices
        if wanted and stands(session, fix.review, fix.answer, fix.ticket):
            return fix
    return None


def _complaints(session: Session, answer_id: int | None = None) -> Iterator[Fix]:
    rows = (
        select(Vote, Answer, Ticket, Review)
        .join(Answer, col(Answer.id) == col(Vote.answer_id))
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .join(Review, col(Review.answer_id) == col(Answer.id))
        .where(Vote.value == VoteValue.DOWN, Review.verdict == Verdict.CORRECTED)
        .order_by(col(Vote.id), col(Review.updated_at).desc())
    )
    if answer_id is not None:
        rows = rows.where(Vote.answer_id == answer_id)
    for vote, answer, ticket, review in session.exec(rows):
        yield Fix(vote, answer, ticket, review)
