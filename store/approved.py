"""Approved answers: a reviewer's correction answers the same question at once, until a version has learnt it.

The corrected questions are kept in memory and brought up to date by those decided since; whether a correction may
still be given, and to this person in this place, is asked of the store each time.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, exists, select, update

from store import adapters, reviews, verdicts
from store.learnt import Lessons
from store.near_questions import NearQuestions, plain
from store.settings import Settings
from store.tables import Answer, Review, Ticket, now
from store.tickets import Line
from store.wording import same_matter
from store.words import DeliveryState, ReviewState, TicketStatus, Verdict, Visibility

OVERLAP = timedelta(minutes=1)
"""Of a second reading with the first: a decision may be stored a moment after one with a later time."""

STANDS_ALONE = 4
"""A follow-up of fewer words leans on what was said before it."""


@dataclass(frozen=True)
class Approved:
    """A right answer: the review that gave it, its text, who stands behind it since when."""

    review_id: int
    text: str
    reviewer_id: str
    decided_at: datetime


@dataclass(frozen=True)
class Asked:
    """A question and where it stands: `opening` is whether its thread began with it."""

    text: str
    person_id: str
    team_id: str
    channel_id: str
    visibility: Visibility
    opening: bool = True


def asked_in(ticket: Ticket, line: Line) -> Asked:
    """A question of a ticket's thread."""
    opening = line.ts == ticket.thread_ts
    return Asked(line.text, line.person_id, ticket.team_id, ticket.channel_id, ticket.visibility, opening)


class ApprovedAnswers:
    """The questions that reviewers corrected the answer of; finds the one that is asked again."""

    def __init__(self) -> None:
        """Nothing is read yet: `refresh`, or the first `find`, reads."""
        self._lock = Lock()
        self._near = NearQuestions()
        self._reviews: dict[str, dict[int, datetime]] = defaultdict(dict)
        self._read_until = datetime.min.replace(tzinfo=UTC) + OVERLAP

    def refresh(self, session: Session) -> None:
        """Take in what was decided since the last time."""
        with self._lock:
            decided = session.exec(
                select(Review.id, Review.updated_at, Ticket.question)
                .join(Answer, col(Answer.id) == col(Review.answer_id))
                .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
                .where(
                    Review.verdict == Verdict.CORRECTED,
                    col(Review.updated_at) >= self._read_until - OVERLAP,
                    # The correction of a follow-up leans on what was said before it.
                    col(Answer.question_ts) == col(Ticket.thread_ts),
                )
            ).all()
            for review_id, decided_at, question in decided:
                key = plain(question)
                if key and review_id is not None:
                    self._near.add(question, key)
                    self._reviews[key][review_id] = decided_at
                    self._read_until = max(self._read_until, decided_at)

    def find(self, session: Session, settings: Settings, asked: Asked) -> Approved | None:
        """The approved answer to a question that is near enough to a corrected one, or None.

        A follow-up in a thread gets one only when it repeats the corrected question word for word.
        """
        if not settings.approved_answers:
            return None
        self.refresh(session)
        for keys in (self._same, self._similar):
            for key in keys(asked, settings.approved_similarity):
                for review_id in self._decided_on(key):
                    if approved := _standing(session, review_id, key, asked):
                        return approved
        return None

    def _same(self, asked: Asked, _: float) -> list[str]:
        text = plain(asked.text)
        alone = asked.opening or len(text.split()) >= STANDS_ALONE
        return [text] if text and alone else []

    def _similar(self, asked: Asked, least: float) -> list[str]:
        text = plain(asked.text)
        if not text or not asked.opening:
            return []
        with self._lock:
            return [key for key in self._near.similar(text, least) if key != text and same_matter(text, key)]

    def _decided_on(self, key: str) -> list[int]:
        """The reviews of a question, the newest first."""
        with self._lock:
            known = self._reviews.get(key, {})
            return sorted(known, key=known.__getitem__, reverse=True)


def get(session: Session, review_id: int) -> Approved | None:
    """The right answer that a review gave; None when the decision was taken back."""
    review = session.get(Review, review_id)
    return _approved(review) if review is not None and review.verdict == Verdict.CORRECTED else None


def forget(session: Session, review_id: int) -> None:
    """A correction was taken back: the answers that it gave are marked as approved no more, and wait for a reviewer."""
    given = col(Answer.approved_by) == review_id
    session.exec(update(Answer).where(given, ~_reviewed()).values(review_state=ReviewState.WAITING))
    session.exec(update(Answer).where(given).values(approved_by=None))


def serve(answer: Answer, approved: Approved | None) -> None:
    """Note that an answer is an approved one, which needs no reviewer, or that it is not."""
    answer.approved_by = approved.review_id if approved else None
    answer.review_state = ReviewState.SETTLED if approved else ReviewState.WAITING


def doubt(session: Session, answer_id: int) -> None:
    """Somebody found an answer bad: where it was an approved one, a reviewer looks at it again."""
    doubted = col(Answer.id) == answer_id, col(Answer.approved_by).is_not(None), ~_reviewed()
    session.exec(update(Answer).where(*doubted).values(review_state=ReviewState.WAITING))


def _reviewed() -> ColumnElement[bool]:
    return exists().where(col(Review.answer_id) == col(Answer.id))


def _approved(review: Review) -> Approved:
    return Approved(review.id or 0, review.correction, review.reviewer_id, review.updated_at)


def _standing(session: Session, review_id: int, key: str, asked: Asked) -> Approved | None:
    """The answer of a review of the question `key`, if it may be given to who asks, where they ask, at this moment."""
    row = session.exec(
        select(Review, Answer, Ticket)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .where(Review.id == review_id)
    ).first()
    if row is None:
        return None
    review, answer, ticket = row
    holds = (
        # SQLite gives the number of a decision that was taken back to another.
        plain(ticket.question) == key
        and stands(session, review, answer, ticket)
        and may_be_read(ticket, asked)
        and not Lessons.of(session, adapters.answering(session), answer).hold(review, ticket)
    )
    return _approved(review) if holds else None


def stands(session: Session, review: Review, answer: Answer, ticket: Ticket) -> bool:
    """Whether a correction holds: neither past its date, nor withdrawn, nor contested by another reviewer."""
    return (
        review.verdict == Verdict.CORRECTED
        and bool(review.correction.strip())
        and (review.valid_until is None or review.valid_until > now())
        and answer.state not in (DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED)
        and ticket.status != TicketStatus.WITHDRAWN
        and not _contested(session, review)
    )


def _contested(session: Session, review: Review) -> bool:
    counts = verdicts.final(reviews.of_answer(session, review.answer_id))
    if counts is None or counts.id != review.id:
        return True
    since = session.exec(
        select(Review.id)
        .join(Answer, col(Answer.id) == col(Review.answer_id))
        .where(Answer.approved_by == review.id, Review.verdict != Verdict.ACCEPTED)
        .where(col(Review.updated_at) > review.updated_at)
        .limit(1)
    )
    return since.first() is not None


def may_be_read(ticket: Ticket, asked: Asked) -> bool:
    """Whether who asks may read what was answered in a ticket: nothing leaves a private channel or conversation."""
    if ticket.team_id != asked.team_id:
        return False
    if ticket.visibility == Visibility.DIRECT:
        return asked.visibility == Visibility.DIRECT and asked.person_id == ticket.asker_id
    return ticket.visibility == Visibility.PUBLIC or ticket.channel_id == asked.channel_id
