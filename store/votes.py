"""Votes: one person's present opinion of one answer, the last one counts."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from store.errors import NotFound
from store.session import insert_ignoring
from store.tables import Vote, now
from store.words import VoteReason, VoteSource, VoteValue


@dataclass(frozen=True)
class Ballot:
    """An opinion as it is given: whose, of which answer, by which gesture, and when by Slack's clock."""

    answer_id: int
    person_id: str
    value: VoteValue
    source: VoteSource = VoteSource.BUTTON
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Counted:
    """A vote as it stands after a gesture, and whether the gesture changed the person's opinion."""

    vote: Vote
    changed: bool


@dataclass(frozen=True)
class Complaint:
    """Why a person voted an answer down: the reason, their words, and what it should have said."""

    reason: VoteReason
    comment: str = ""
    suggestion: str = ""


def cast(session: Session, ballot: Ballot) -> Counted:
    """Store an opinion; a person's earlier one of the same answer is replaced, the same one again changes nothing.

    Slack may hand us two gestures in the wrong order: the later one counts.
    """
    pressed = ballot.value if ballot.source == VoteSource.BUTTON else None
    given = Vote(
        answer_id=ballot.answer_id,
        person_id=ballot.person_id,
        value=ballot.value,
        source=ballot.source,
        button=pressed,
        updated_at=ballot.at,
    ).model_dump(exclude={"id"})
    first = insert_ignoring(session, Vote, given)
    vote = _need(session, ballot.answer_id, ballot.person_id)
    if first:
        return Counted(vote, changed=True)
    vote.button = pressed or vote.button
    if ballot.at < vote.updated_at:
        return Counted(vote, changed=False)
    vote.updated_at = ballot.at
    return Counted(vote, changed=_set(vote, ballot.value, ballot.source))


def _set(vote: Vote, value: VoteValue, source: VoteSource) -> bool:
    if vote.value == value:
        return False
    vote.value, vote.source, vote.reason, vote.comment, vote.suggestion = value, source, None, "", ""
    return True


def of_person(session: Session, answer_id: int, person_id: str) -> Vote | None:
    """A person's present opinion of an answer."""
    statement = select(Vote).where(Vote.answer_id == answer_id, Vote.person_id == person_id)
    return session.exec(statement.with_for_update()).first()


def _need(session: Session, answer_id: int, person_id: str) -> Vote:
    vote = of_person(session, answer_id, person_id)
    if vote is None:
        raise NotFound("Your vote is not there any more: press 👍 or 👎 again.")
    return vote


def explain(session: Session, answer_id: int, person_id: str, complaint: Complaint) -> Counted:
    """Add to a person's vote why it was given.

    Raises:
        NotFound: this person has not voted on this answer.
    """
    vote = _need(session, answer_id, person_id)
    said = (complaint.reason, complaint.comment, complaint.suggestion)
    changed = (vote.reason, vote.comment, vote.suggestion) != said
    vote.reason, vote.comment, vote.suggestion = said
    return Counted(vote, changed)


def retract(session: Session, ballot: Ballot, standing: VoteValue | None = None) -> bool:
    """Take back an opinion that was given by a reaction and is still the person's present one.

    What is left counts then: the other reaction of the person that is `standing` on the message, else the thumb that
    they pressed, else nothing.
    """
    vote = of_person(session, ballot.answer_id, ballot.person_id)
    if vote is None or (vote.value, vote.source) != (ballot.value, VoteSource.REACTION):
        return False
    if standing is not None:
        _set(vote, standing, VoteSource.REACTION)
    elif vote.button is not None:
        _set(vote, vote.button, VoteSource.BUTTON)
        vote.source = VoteSource.BUTTON
    else:
        session.delete(vote)
    return True


def of_answer(session: Session, answer_id: int) -> list[Vote]:
    """Every present opinion of an answer, the oldest first."""
    return list(session.exec(select(Vote).where(Vote.answer_id == answer_id).order_by(col(Vote.id))))
