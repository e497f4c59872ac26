"""Votes: one person's present opinion of one answer, the last one counts."""

from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from store.errors import NotFound
from store.session import insert_ignoring
from store.tables import Vote, now
from store.words import VoteReason, VoteSource, VoteValue


@dataclass(frozen=True)
class Ballot:
    """An opinion as it is given: whose, of which answer, by which gesture."""

    answer_id: int
    person_id: str
    value: VoteValue
    source: VoteSource = VoteSource.BUTTON


def cast(session: Session, ballot: Ballot) -> Vote:
    """Store an opinion; a person's earlier one of the same answer is replaced, the same one again changes nothing."""
    given = Vote(
        answer_id=ballot.answer_id, person_id=ballot.person_id, value=ballot.value, source=ballot.source
    ).model_dump(exclude={"id"})
    insert_ignoring(session, Vote, given)
    vote = _of_person(session, ballot.answer_id, ballot.person_id)
    if vote.value != ballot.value:
        vote.value, vote.source, vote.reason, vote.comment = ballot.value, ballot.source, None, ""
        vote.updated_at = now()
    return vote


def _of_person(session: Session, answer_id: int, person_id: str) -> Vote:
    statement = select(Vote).where(Vote.answer_id == answer_id, Vote.person_id == person_id)
    vote = session.exec(statement.with_for_update()).first()
    if vote is None:
        raise NotFound("Your vote is not there any more: press 👍 or 👎 again.")
    return vote


def explain(session: Session, answer_id: int, person_id: str, reason: VoteReason | None, comment: str) -> Vote:
    """Add to a person's vote why it was given.

    Raises:
        NotFound: this person has not voted on this answer.
    """
    vote = _of_person(session, answer_id, person_id)
    vote.reason, vote.comment, vote.updated_at = reason, comment, now()
    return vote


def retract(session: Session, ballot: Ballot) -> bool:
    """Take an opinion back that was given by this gesture and is still the person's present one."""
    gone = session.exec(
        delete(Vote).where(
            col(Vote.answer_id) == ballot.answer_id,
            col(Vote.person_id) == ballot.person_id,
            col(Vote.value) == ballot.value,
            col(Vote.source) == ballot.source,
        )
    )
    return bool(gone.rowcount)


def of_answer(session: Session, answer_id: int) -> list[Vote]:
    """Every present opinion of an answer, the oldest first."""
    return list(session.exec(select(Vote).where(Vote.answer_id == answer_id).order_by(col(Vote.id))))
